import { Secret } from "../../src/secret.ts";
import type { Prompt } from "../../src/terminal/prompt.ts";

export interface AskedQuestion {
  readonly kind: "text" | "choose" | "password" | "confirm";
  readonly message: string;
  /** The flag that would have answered it. */
  readonly flag: string;
  readonly default?: string | boolean;
}

export interface RecordingPrompt extends Prompt {
  readonly asked: readonly AskedQuestion[];
}

/**
 * A person at a terminal who gives these answers, by the flag that would have given them, and takes every other default.
 * An answer the question refuses is a failure, as it would be asked again for ever.
 */
export function recordingPrompt(answers: Readonly<Record<string, string | boolean>> = {}): RecordingPrompt {
  const asked: AskedQuestion[] = [];
  return {
    asked,
    isInteractive: true,
    async text({ message, flag, default: otherwise, check }) {
      asked.push({ kind: "text", message, flag, ...(otherwise === undefined ? {} : { default: otherwise }) });
      const answer = String(answers[flag] ?? otherwise ?? "");
      const refused = check?.(answer);
      if (refused !== undefined) throw new Error(`${message}: ${answer} is refused: ${refused}`);
      return answer;
    },
    async choose({ message, flag, default: otherwise, choices }) {
      asked.push({ kind: "choose", message, flag, default: otherwise });
      const answer = choices.find(({ value }) => value === (answers[flag] ?? otherwise));
      if (answer === undefined) throw new Error(`${message}: ${String(answers[flag])} is no choice`);
      return answer.value;
    },
    async password({ message, flag, allowEmpty }) {
      asked.push({ kind: "password", message, flag });
      const answer = String(answers[flag] ?? "");
      if (answer === "" && allowEmpty !== true) throw new Error(`${message}: an empty one is refused`);
      return new Secret(answer);
    },
    async confirm({ message, flag, default: otherwise }) {
      asked.push({ kind: "confirm", message, flag, default: otherwise });
      return Boolean(answers[flag] ?? otherwise);
    },
  };
}
