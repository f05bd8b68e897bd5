import type { Engine } from "../../src/engine/engine.ts";

/** The engine, with `before` told the number (from 1) and name of each call right before it is made. */
export function onEngineCall(engine: Engine, before: (number: number, operation: string) => void): Engine {
  let calls = 0;
  const watched = <T extends object>(noun: string, port: T): T =>
    new Proxy(port, {
      get(target, property, receiver) {
        const value = Reflect.get(target, property, receiver) as unknown;
        if (typeof value !== "function") return value;
        return (...parameters: unknown[]): unknown => {
          calls += 1;
          before(calls, `${noun}.${String(property)}`);
          return value.apply(target, parameters) as unknown;
        };
      },
    });
  return {
    info: engine.info,
    containers: watched("containers", engine.containers),
    images: watched("images", engine.images),
    networks: watched("networks", engine.networks),
    inspection: watched("inspection", engine.inspection),
    close: () => engine.close(),
  };
}
