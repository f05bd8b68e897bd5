import { dump } from "js-yaml";

/** distribution's config.yml as text; strings that YAML 1.1 would read as something else are quoted. */
export function renderRegistryConfig(rendered: Readonly<Record<string, unknown>>): string {
  return `# Rendered by regctl from regctl.yaml: change it there, then run \`regctl up\`.\n${dump(rendered, { lineWidth: -1, noRefs: true })}`;
}
