import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

const folder = new URL("../../../src/pki/", import.meta.url);
const sources = readdirSync(folder).map((name) => ({ name, text: readFileSync(new URL(name, folder), "utf8") }));

it("only building a certificate and opening PKCS#12 load node-forge, and nothing loads those two before it is needed", () => {
  const importers = sources.filter(({ text }) => text.includes('"node-forge"')).map(({ name }) => name);
  expect(importers).toEqual(["certificate-builder.ts", "pkcs12.ts"]);
  const eager = /^(?:import|export)\s(?!type\b)[^;]*from "\.\/(?:certificate-builder|pkcs12)\.ts"/m;
  expect(sources.filter(({ text }) => eager.test(text)).map(({ name }) => name)).toEqual([]);
});

it("no file here touches the disk or the process", () => {
  const touching = sources.filter(({ text }) =>
    /"node:(fs|child_process|http|https|net\/promises)|\bprocess\./.test(text),
  );
  expect(touching.map(({ name }) => name)).toEqual([]);
});
