/** What an operation is handed from outside: adapters as values. It never prints, asks or reads the process by itself. */
import type { Engine, RegistryCredentials } from "../engine/engine.ts";
import type { RunCommand } from "../host/command.ts";
import type { Progress } from "../terminal/progress.ts";

export interface OperationPorts {
  readonly signal: AbortSignal;
  readonly now: () => Date;
  readonly progress: Progress;
  readonly output: { note(text: string): void; warn(text: string): void; detail(text: string): void };
  readonly isRoot: boolean;
  readonly userId: number;
  readonly groupId: number;
  readonly workingDirectory: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly cacheDirectory: string;
  readonly timeoutMs: number;
  readonly run: RunCommand;
  engine(): Promise<Engine>;
  reconnectEngine(): Promise<Engine>;
  findCredentials(registryHost: string): Promise<RegistryCredentials | undefined>;
}
