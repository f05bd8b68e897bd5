import { type AuthMode, hostAndPort, registryUrl, type TlsMode } from "../config/config.ts";
import {
  DEFAULT_BCRYPT_COST,
  DEFAULT_DOMAIN,
  DEFAULT_IMAGE,
  DEFAULT_PORT,
  defaultBind,
  nameFromDirectory,
} from "../config/defaults.ts";
import type { Context } from "../context.ts";
import { RegctlError } from "../errors.ts";
import { type InitResult, initialise } from "../operations/init.ts";
import type { InitAnswers } from "../operations/init-answers.ts";
import { userNameProblem } from "../operations/users.ts";
import { parseHost } from "../pki/san.ts";
import { renderClosingBlock, shellWord } from "./init-closing-block.ts";
import { type PasswordFlags, readPassword } from "./password-input.ts";

export interface InitFlags extends PasswordFlags {
  readonly name?: string;
  readonly domain?: string;
  readonly san?: readonly string[];
  readonly bind?: string;
  readonly port?: number;
  readonly image?: string;
  readonly distribution?: 2 | 3;
  readonly tls?: TlsMode;
  readonly cert?: string;
  readonly key?: string;
  readonly chain?: string;
  readonly auth?: AuthMode;
  readonly user?: string;
  readonly data?: string;
  readonly bcryptCost?: number;
  readonly installEngine?: boolean;
  readonly offline?: boolean;
  readonly start: boolean;
  readonly insecure?: boolean;
}

function checkHost(text: string): string | undefined {
  try {
    parseHost(text);
    return undefined;
  } catch (error) {
    return error instanceof RegctlError ? `${error.message}; ${error.hint ?? ""}` : String(error);
  }
}

function checkPort(text: string): string | undefined {
  const port = Number(text);
  return Number.isInteger(port) && port >= 1 && port <= 65535 ? undefined : "a port is a number from 1 to 65535";
}

/** The questions of the wizard; a flag answers its own. */
async function ask(context: Context, flags: InitFlags): Promise<InitFlags> {
  const { prompt } = context;
  const domain =
    flags.domain ??
    (await prompt.text({
      message: "Host name or IP address clients will use",
      default: DEFAULT_DOMAIN,
      flag: "--domain",
      check: checkHost,
    }));
  const port =
    flags.port ??
    Number(
      await prompt.text({
        message: "Port clients will connect to",
        default: String(DEFAULT_PORT),
        flag: "--port",
        check: checkPort,
      }),
    );
  const tls =
    flags.tls ??
    (await prompt.choose<TlsMode>({
      message: "Encryption",
      flag: "--tls",
      default: "own-ca",
      choices: [
        { value: "own-ca", name: "own-ca: make a certificate here; clients get one file to trust" },
        { value: "provided", name: "provided: I have a certificate and its key" },
        { value: "none", name: "none: plain HTTP, for this machine only" },
      ],
    }));
  const cert =
    tls === "provided"
      ? (flags.cert ?? (await prompt.text({ message: "Certificate file (PEM or PKCS#12)", flag: "--cert" })))
      : undefined;
  const key =
    tls === "provided" ? (flags.key ?? (await prompt.text({ message: "Private key file", flag: "--key" }))) : undefined;
  const user =
    flags.auth === "none"
      ? undefined
      : (flags.user ??
        (await prompt.text({
          message: "Name of the first user",
          default: "admin",
          flag: "--user",
          check: userNameProblem,
        })));
  const data =
    flags.data ??
    (await prompt.text({ message: "Folder for the images (a big disk)", default: "data", flag: "--data" }));
  return {
    ...flags,
    domain,
    port,
    tls,
    data,
    ...(user === undefined ? {} : { user }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

async function providedFiles(context: Context, flags: InitFlags): Promise<InitAnswers["provided"]> {
  if (flags.tls !== "provided") {
    if (flags.cert === undefined && flags.key === undefined) return undefined;
    throw new RegctlError("usage", "--cert and --key go with --tls provided", { hint: "add --tls provided" });
  }
  if (flags.cert === undefined || flags.key === undefined) {
    throw new RegctlError("input-required", "--tls provided needs the certificate and its key", {
      hint: "pass --cert FILE --key FILE",
    });
  }
  const passphrase = async () =>
    (await import("./key-passphrase.ts")).askPassphrase(context, flags.key ?? "", flags.cert ?? "");
  return {
    certificate: context.absolute(flags.cert),
    key: context.absolute(flags.key),
    chain: flags.chain === undefined ? undefined : context.absolute(flags.chain),
    passphrase: await passphrase(),
  };
}

async function answersFrom(context: Context, directory: string, flags: InitFlags): Promise<InitAnswers> {
  const tlsMode = flags.tls ?? "own-ca";
  const authMode = flags.auth ?? "htpasswd";
  const firstUser = flags.user ?? "admin";
  const insecure = flags.insecure ?? false;
  return {
    directory,
    name: flags.name ?? nameFromDirectory(directory),
    domain: flags.domain ?? DEFAULT_DOMAIN,
    san: flags.san ?? [],
    bind: flags.bind ?? defaultBind({ tls: { mode: tlsMode }, auth: { mode: authMode }, insecure }),
    port: flags.port ?? DEFAULT_PORT,
    image: flags.image ?? DEFAULT_IMAGE,
    distribution: flags.distribution,
    tlsMode,
    provided: await providedFiles(context, flags),
    authMode,
    firstUser,
    password: authMode === "none" ? undefined : await readPassword(context, flags, `Password of ${firstUser}`),
    data: flags.data ?? "data",
    bcryptCost: flags.bcryptCost ?? DEFAULT_BCRYPT_COST,
    insecure,
    mayInstallEngine: async (question) =>
      flags.installEngine === true ||
      (context.options.yes && context.isRoot) ||
      (context.prompt.isInteractive &&
        (await context.prompt.confirm({ message: question, flag: "--install-engine", default: true }))),
    offline: flags.offline ?? false,
    start: flags.start,
  };
}

function resultData(result: InitResult): Record<string, unknown> {
  return {
    dir: result.directory,
    name: result.config.name,
    url: registryUrl(result.config),
    domain: result.config.domain,
    port: result.config.port,
    user: result.user ?? null,
    // The one place and time a generated password can be read.
    password: result.generatedPassword?.reveal() ?? null,
    caFile: result.authorityFile ?? null,
    image: result.image,
    imageSource: result.imageSource,
    containers: result.containers,
  };
}

export async function init(context: Context, directory: string | undefined, flags: InitFlags): Promise<void> {
  const asks = context.prompt.isInteractive && !context.options.yes;
  if (!asks && !context.options.yes) {
    throw new RegctlError("input-required", "init asks questions, and there is no terminal to ask them on", {
      hint: "pass --yes to take the defaults for what no flag says",
    });
  }
  const target = context.absolute(directory ?? context.options.dir ?? "registry");
  const answers = await answersFrom(context, target, asks ? await ask(context, flags) : flags);
  await initialise(context, answers, (result) => {
    const block = renderClosingBlock({
      result,
      host: hostAndPort(result.config),
      program: `${context.programName} --dir ${shellWord(result.directory)}`,
    });
    context.output.result("init", resultData(result), block, result.generatedPassword?.reveal() ?? result.url);
  });
}
