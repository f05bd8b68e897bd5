/** Kubernetes: a DaemonSet that puts the authority where each node's containerd (or CRI-O) looks, and what pulls need besides. */
import { commentText } from "./quote.ts";
import type { TrustSubject } from "./subject.ts";

/** JSON strings are YAML strings. */
const quoted = (text: string): string => JSON.stringify(text);

const indented = (text: string, spaces: number): string =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => `${" ".repeat(spaces)}${line}`)
    .join("\n");

/** Runs in busybox; the folders and the names come from the environment, nothing is put into the script. */
const INSTALL = `set -eu
for parent in /host/containerd /host/containers; do
  for name in $REGISTRIES; do
    folder=$parent/$name
    mkdir -p "$folder"
    if [ -e "$folder/ca.crt" ] && ! cmp -s "$folder/ca.crt" /kit/ca.crt; then file=regctl-$SHORT.crt; else file=ca.crt; fi
    cp /kit/ca.crt "$folder/$file.new" && mv "$folder/$file.new" "$folder/$file"
    [ "$parent" = /host/containerd ] && [ ! -e "$folder/hosts.toml" ] || continue
    printf 'server = "https://%s"\\n\\n[host."https://%s"]\\n  capabilities = ["pull", "resolve", "push"]\\n  ca = ["/etc/containerd/certs.d/%s/%s"]\\n' \\
      "$name" "$name" "$name" "$file" >"$folder/hosts.toml.new" && mv "$folder/hosts.toml.new" "$folder/hosts.toml"
  done
done
echo "the authority is in place on this node"
`;

/** Objects for `kubectl apply -f -`; \`kubectl delete -f -\` removes them, and what they wrote on the nodes stays. */
export function renderKubernetes(subject: TrustSubject): string {
  const name = `regctl-trust-${subject.id}`;
  const [registry = ""] = subject.registries;
  const pem = subject.authorities.map((one) => one.pem.trimEnd()).join("\n");
  return `# Makes the nodes of a cluster trust ${commentText(registry)} (deployment ${commentText(subject.name)}):  kubectl apply -f FILE
#
# containerd before 2.2 looks into this folder only when its config.toml says so, once, with a restart after it:
#   [plugins."io.containerd.grpc.v1.cri".registry]
#     config_path = "/etc/containerd/certs.d"
# (not beside registry.mirrors or registry.configs: both together switch CRI off). k3s and rke2 make their own list of
# registries: run the shell kit with --client k3s on each node instead.
#
# Pulls need a login as well. With one in ~/.docker/config.json (docker login ${commentText(registry)}):
#   kubectl create secret generic ${name} --type=kubernetes.io/dockerconfigjson \\
#     --from-file=.dockerconfigjson=$HOME/.docker/config.json
#   kubectl patch serviceaccount default -p '{"imagePullSecrets":[{"name":"${name}"}]}'
apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}
  namespace: kube-system
data:
  ca.crt: |
${indented(pem, 4)}
  install.sh: |
${indented(INSTALL, 4)}
---
apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: ${name}
  namespace: kube-system
spec:
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
      annotations:
        regctl.io/authority: ${quoted(subject.authorities.map(({ sha256 }) => sha256).join(" "))}
    spec:
      tolerations:
        - operator: Exists
      initContainers:
        - name: install
          image: busybox:stable
          command: ["sh", "/kit/install.sh"]
          env:
            - name: REGISTRIES
              value: ${quoted(subject.registries.join(" "))}
            - name: SHORT
              value: ${quoted(subject.authorities[0]?.short ?? "")}
          volumeMounts:
            - {name: kit, mountPath: /kit}
            - {name: containerd, mountPath: /host/containerd}
            - {name: containers, mountPath: /host/containers}
      containers:
        - name: stay
          image: busybox:stable
          command: ["sleep", "2147483647"]
          resources:
            requests: {cpu: 1m, memory: 1Mi}
      volumes:
        - name: kit
          configMap: {name: ${name}}
        - name: containerd
          hostPath: {path: /etc/containerd/certs.d, type: DirectoryOrCreate}
        - name: containers
          hostPath: {path: /etc/containers/certs.d, type: DirectoryOrCreate}
`;
}
