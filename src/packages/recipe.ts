/** How one image is made of distribution packages: data only. Paths are relative to the root, after the /usr merge. */
export interface ImageRecipe {
  /** `registry`: part of file names. */
  readonly name: string;
  /** Without the tag: `regctl/registry`. */
  readonly repository: string;
  readonly title: string;
  readonly description: string;
  /** Where the packages' sources are. */
  readonly source: string;
  /** Unpacked in this order; the image carries the first one's version. */
  readonly packages: readonly string[];
  /** The programs that must find every shared library inside the image. */
  readonly binaries: readonly string[];
  /** What stays of the packages' files; all else goes. */
  readonly keep: readonly RegExp[];
  /** Path to link target. */
  readonly links: Readonly<Record<string, string>>;
  /** Path to text. */
  readonly files: Readonly<Record<string, string>>;
  /** Path to mode. */
  readonly directories: Readonly<Record<string, number>>;
  readonly trust: TrustBundle | undefined;
  readonly config: ImageConfig;
}

/** The certificate authorities the image trusts: the host's, or the package's when the host has none. */
export interface TrustBundle {
  readonly hostFile: string;
  readonly package: string;
  /** The package's folder of single PEM files. */
  readonly packageDirectory: string;
  readonly target: string;
}

/** The part of an image's configuration a recipe decides, in the words of the image specification. */
export interface ImageConfig {
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
  readonly ExposedPorts: Readonly<Record<string, Record<string, never>>>;
  readonly WorkingDir: string;
}

const BUSYBOX_APPLETS = ["cat", "env", "find", "id", "ls", "sh", "wget"] as const;

/** The C library as far as a static-minded Go program needs it: loader, libc, the resolver and name service. */
const C_LIBRARY =
  /^usr\/lib(64)?\/([^/]+\/)?(ld-|libc[.-]|libresolv[.-]|libnss_(dns|files)[.-]|libpthread[.-]|libdl[.-])[^/]*$/;
const COPYRIGHT = /^usr\/share\/doc\/[^/]+\/copyright$/;

/** Serves at once, as the official image does; without the descriptor cache, which makes garbage collection lose images. */
const DEFAULT_CONFIG = `version: 0.1
log:
  fields:
    service: registry
storage:
  filesystem:
    rootdirectory: /var/lib/registry
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
`;

/** Stands in for Docker Hub's `registry:2`: same entrypoint, default command, paths and port, but no volume. */
export const registryRecipe: ImageRecipe = {
  name: "registry",
  repository: "regctl/registry",
  title: "registry",
  description: "The distribution registry, assembled by regctl from the distribution's own packages",
  source: "https://tracker.debian.org/pkg/docker-registry",
  packages: ["docker-registry", "libc6", "busybox-static"],
  binaries: ["usr/bin/docker-registry"],
  keep: [/^usr\/bin\/(docker-registry|busybox)$/, C_LIBRARY, COPYRIGHT],
  links: {
    "usr/bin/registry": "docker-registry",
    ...Object.fromEntries(BUSYBOX_APPLETS.map((applet) => [`usr/bin/${applet}`, "busybox"])),
  },
  files: {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "etc/docker/registry/config.yml": DEFAULT_CONFIG,
  },
  directories: { "var/lib/registry": 0o755, tmp: 0o1777, root: 0o700 },
  trust: {
    hostFile: "/etc/ssl/certs/ca-certificates.crt",
    package: "ca-certificates",
    packageDirectory: "usr/share/ca-certificates/mozilla",
    target: "etc/ssl/certs/ca-certificates.crt",
  },
  config: {
    Entrypoint: ["/bin/registry"],
    Cmd: ["serve", "/etc/docker/registry/config.yml"],
    Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    ExposedPorts: { "5000/tcp": {} },
    WorkingDir: "/",
  },
};
