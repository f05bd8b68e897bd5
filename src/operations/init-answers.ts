/** What `init` is told, by flags or by its questions, and the regctl.yaml that says the same. */
import type { AuthMode, Config, TlsMode } from "../config/config.ts";
import { renderTemplate, yamlValue } from "../project/templates.ts";
import type { Secret } from "../secret.ts";

export interface ProvidedFiles {
  readonly certificate: string;
  readonly key: string;
  readonly chain: string | undefined;
  readonly passphrase: Secret | undefined;
}

export interface InitAnswers {
  /** Absolute. */
  readonly directory: string;
  readonly name: string;
  readonly domain: string;
  readonly san: readonly string[];
  readonly bind: string;
  readonly port: number;
  readonly image: string;
  /** Only when the image's tag does not say it. */
  readonly distribution: 2 | 3 | undefined;
  readonly tlsMode: TlsMode;
  /** Paths, only with tlsMode "provided". */
  readonly provided: ProvidedFiles | undefined;
  readonly authMode: AuthMode;
  readonly firstUser: string;
  /** undefined = generate one. */
  readonly password: Secret | undefined;
  /** As written: relative to the folder or absolute. */
  readonly data: string;
  readonly bcryptCost: number;
  readonly insecure: boolean;
  /** Asked once, with what would be done, when the host has no engine that answers. */
  readonly mayInstallEngine: (question: string) => Promise<boolean>;
  readonly offline: boolean;
  readonly start: boolean;
}

/** The commented regctl.yaml of a new deployment. */
export function configText(answers: InitAnswers, image: string, user: Config["user"]): Promise<string> {
  return renderTemplate("regctl.yaml", {
    name: yamlValue(answers.name),
    domain: yamlValue(answers.domain),
    san: yamlValue(answers.san),
    port: yamlValue(answers.port),
    bind: yamlValue(answers.bind),
    image: yamlValue(image),
    distribution: answers.distribution === undefined ? "# distribution: 2" : `distribution: ${answers.distribution}`,
    data: yamlValue(answers.data),
    user: JSON.stringify(`${user.uid}:${user.gid}`),
    tlsMode: yamlValue(answers.tlsMode),
    authMode: yamlValue(answers.authMode),
    bcryptCost: yamlValue(answers.bcryptCost),
    insecure: yamlValue(answers.insecure),
  });
}
