/**
 * Preloaded into a process (`node --import`), it notes every package of node_modules that is loaded, one name a line, in
 * the file REGCTL_TEST_LOADED: those imported as they are found, those required when the process ends.
 */
import { appendFileSync } from "node:fs";
import { createRequire, register } from "node:module";

const file = process.env.REGCTL_TEST_LOADED;

const hooks = `
  import { appendFileSync } from "node:fs";
  export async function load(url, context, next) {
    appendFileSync(${JSON.stringify(file)}, url + "\\n");
    return next(url, context);
  }
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

const { cache } = createRequire(import.meta.url);
process.on("exit", () => {
  appendFileSync(file, `${Object.keys(cache).join("\n")}\n`);
});
