/** Every label key regctl writes on engine objects. Append-only: old containers carry old labels for years. */

/** Name of the deployment; what `ls` and every lookup filter by. */
export const DEPLOYMENT_LABEL = "io.regctl.deployment";
/** Absolute folder of regctl.yaml: how a command finds the deployment when no folder is given. */
export const DIRECTORY_LABEL = "io.regctl.directory";
/** Part of the deployment: `registry`. */
export const SERVICE_LABEL = "io.regctl.service";
/** Hash of the container as regctl asked for it; another hash means drift. */
export const SPEC_LABEL = "io.regctl.spec";
/** Hash of the config.yml the registry read when it started. */
export const CONFIGURATION_LABEL = "io.regctl.configuration";
/** SHA-256 of the certificate chain the registry read when it started. */
export const CERTIFICATE_LABEL = "io.regctl.certificate";
/** SHA-256 of the authorities of client certificates the registry read when it started. */
export const CLIENT_AUTHORITIES_LABEL = "io.regctl.client-authorities";

/** docker compose finds containers by these, and leaves alone those whose hash and image are what it would make. */
export function composeLabels(
  project: string,
  service: string,
  directory: string,
  configHash: string,
): Record<string, string> {
  return {
    "com.docker.compose.project": project,
    "com.docker.compose.service": service,
    "com.docker.compose.container-number": "1",
    "com.docker.compose.oneoff": "False",
    "com.docker.compose.project.working_dir": directory,
    "com.docker.compose.project.config_files": `${directory}/compose.yaml`,
    "com.docker.compose.version": "2",
    "com.docker.compose.config-hash": configHash,
  };
}

/** Of a container that runs once beside the service's: compose neither counts it nor takes it for an orphan. */
export function composeOneOffLabels(project: string, service: string, directory: string): Record<string, string> {
  const { "com.docker.compose.config-hash": _, ...labels } = composeLabels(project, service, directory, "");
  return { ...labels, "com.docker.compose.oneoff": "True" };
}

/** Id of the image a container was made from; known only when the engine has it. */
export const COMPOSE_IMAGE_LABEL = "com.docker.compose.image";

export function composeNetworkLabels(project: string): Record<string, string> {
  return {
    "com.docker.compose.project": project,
    "com.docker.compose.network": "default",
    "com.docker.compose.version": "2",
  };
}
