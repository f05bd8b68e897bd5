/** Questions, drawn on stderr; without a terminal each is refused with the flag that answers it. */
import type { Readable, Writable } from "node:stream";
import { RegctlError } from "../errors.ts";
import { Secret } from "../secret.ts";

export interface TextQuestion {
  readonly message: string;
  readonly default?: string;
  /** What to pass instead where nobody can be asked: `--domain`. */
  readonly flag: string;
  /** The reason an answer is refused, or undefined. */
  readonly check?: (answer: string) => string | undefined;
}

export interface Prompt {
  readonly isInteractive: boolean;
  text(question: TextQuestion): Promise<string>;
  choose<T extends string>(question: {
    readonly message: string;
    readonly flag: string;
    readonly default: T;
    readonly choices: readonly { readonly value: T; readonly name: string }[];
  }): Promise<T>;
  /** Asked twice; "" only where `allowEmpty`. */
  password(question: {
    readonly message: string;
    readonly flag: string;
    readonly allowEmpty?: boolean;
  }): Promise<Secret>;
  confirm(question: { readonly message: string; readonly flag: string; readonly default: boolean }): Promise<boolean>;
}

/** Every question is an error that names the flag. */
export const noPrompt: Prompt = {
  isInteractive: false,
  text: (question) => refuse(question.message, question.flag),
  choose: (question) => refuse(question.message, question.flag),
  password: (question) => refuse(question.message, question.flag),
  confirm: (question) => refuse(question.message, question.flag),
};

function refuse(message: string, flag: string): Promise<never> {
  return Promise.reject(
    new RegctlError("input-required", `a question is needed and there is no terminal to ask it on: ${message}`, {
      hint: `pass ${flag}`,
    }),
  );
}

async function answered<T>(question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (error) {
    // inquirer's names for Ctrl-C and for an aborted signal.
    if (error instanceof Error && (error.name === "ExitPromptError" || error.name === "AbortPromptError")) {
      throw new RegctlError("interrupted", "interrupted; nothing was changed", { cause: error });
    }
    throw error;
  }
}

export function createPrompt(streams: {
  readonly stdin: Readable;
  readonly stderr: Writable;
  readonly signal: AbortSignal;
}): Prompt {
  const context = { input: streams.stdin, output: streams.stderr, signal: streams.signal } as {
    input: NodeJS.ReadableStream;
    output: NodeJS.WritableStream;
    signal: AbortSignal;
  };
  const inquirer = () => import("@inquirer/prompts");
  return {
    isInteractive: true,
    async text(question) {
      const { input } = await inquirer();
      return answered(
        input(
          {
            message: question.message,
            ...(question.default === undefined ? {} : { default: question.default }),
            validate: (answer) => question.check?.(answer) ?? true,
          },
          context,
        ),
      );
    },
    async choose(question) {
      const { select } = await inquirer();
      return answered(
        select({ message: question.message, default: question.default, choices: [...question.choices] }, context),
      );
    },
    async password(question) {
      const { password } = await inquirer();
      const first = await answered(
        password(
          {
            message: question.message,
            mask: "*",
            validate: (text) => (text === "" && question.allowEmpty !== true ? "it must not be empty" : true),
          },
          context,
        ),
      );
      if (first !== "")
        await answered(
          password(
            { message: "Once more", mask: "*", validate: (text) => (text === first ? true : "the two differ") },
            context,
          ),
        );
      return new Secret(first);
    },
    async confirm(question) {
      const { confirm } = await inquirer();
      return answered(confirm({ message: question.message, default: question.default }, context));
    },
  };
}
