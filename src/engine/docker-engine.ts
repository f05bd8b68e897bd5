import type Docker from "dockerode";
import { dockerContainers } from "./containers.ts";
import type { Engine, EngineInfo } from "./engine.ts";
import { dockerImages } from "./images.ts";
import { dockerInspection } from "./inspection.ts";
import { dockerNetworks } from "./networks.ts";

/** The engine behind a dockerode client that is connected and speaks a negotiated API version. */
export function dockerEngine(docker: Docker, info: EngineInfo, close: () => void): Engine {
  return {
    info,
    containers: dockerContainers(docker),
    images: dockerImages(docker),
    networks: dockerNetworks(docker),
    inspection: dockerInspection(docker),
    close,
  };
}
