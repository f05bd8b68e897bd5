/**
 * Work over many items shared by this thread and as many workers as the work turns out to need: none for what is done
 * in a few milliseconds, one a core while the store is in memory, more while all of them wait for the disk.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

/**
 * One phase of a task: takes items by number until there are none and gives back what this thread found. It yields after
 * every item, so that the thread that also listens to signals can do so.
 */
export type Phase<Input, Output> = (input: Input, next: () => number) => Generator<void, Output>;

/** A module that exports its own address as `taskUrl` and its phases by name. */
export interface Task {
  readonly taskUrl: string;
}

export interface PhaseRun {
  /** Number of items: phases take 0 … count - 1, each once. */
  readonly count: number;
  /** Told now and then how many items were taken. */
  readonly onProgress?: (taken: number) => void;
}

export interface Team {
  /** One output a thread that took part, in no order. */
  run<Input, Output>(phase: string, work: Phase<Input, Output>, input: Input, run: PhaseRun): Promise<Output[]>;
  close(): Promise<void>;
}

export interface TeamOptions {
  readonly signal: AbortSignal;
  /** Upper limit of threads, this one included; 1 = only this one. */
  readonly maximumThreads: number;
  /** Runs what loads the program's own files, which the store's owner may not be allowed to read. */
  readonly withOwnRights?: <T>(work: () => Promise<T>) => Promise<T>;
}

/** A run that is over before that is not worth a second thread. */
const ALONE_MS = 12;
const YIELD_MS = 40;
/** With less processor time a thread than this, and blocks (of 512 bytes) read meanwhile, threads wait for the disk. */
const BUSY_SHARE = 0.6;
const DISK_READS_PER_MS = 20;
const LOOK_AGAIN_MS = 120;

/** Set in the word that counts those who joined a phase once it is over. */
const CLOSED = 1 << 30;

export interface PhaseMessage {
  readonly taskUrl: string;
  readonly phase: string;
  readonly input: unknown;
  readonly count: number;
  /** [next item, threads that joined]. */
  readonly control: SharedArrayBuffer;
}

export type PhaseAnswer =
  | { readonly output: unknown }
  | { readonly failure: { readonly message: string; readonly code: string | undefined } };

/** Takes the number of the next item; -1 = none is left. */
export function takeFrom(control: Int32Array, count: number): () => number {
  return () => {
    const item = Atomics.add(control, 0, 1);
    return item < count ? item : -1;
  };
}

/** False = the phase is already over. */
export function join(control: Int32Array): boolean {
  return (Atomics.add(control, 1, 1) & CLOSED) === 0;
}

interface Member {
  readonly worker: Worker;
  readonly send: (message: PhaseMessage) => Promise<unknown>;
}

interface Pending {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

function startMember(): Member {
  const worker = new Worker(new URL("./team-worker.js", import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  worker.unref();
  // A worker answers in the order it was asked, also when nobody waits for the answer any more.
  const pending: Pending[] = [];
  worker.on("message", (answer: PhaseAnswer) => {
    const asked = pending.shift();
    if ("output" in answer) asked?.resolve(answer.output);
    else asked?.reject(Object.assign(new Error(answer.failure.message), { code: answer.failure.code }));
  });
  worker.on("error", (error) => {
    for (const asked of pending.splice(0)) asked.reject(error);
  });
  return {
    worker,
    send: (message) =>
      new Promise((resolve, reject) => {
        pending.push({ resolve, reject });
        worker.postMessage(message);
      }),
  };
}

function usage(): { readonly wall: number; readonly processor: number; readonly reads: number } {
  const { userCPUTime, systemCPUTime, fsRead } = process.resourceUsage();
  return { wall: performance.now(), processor: (userCPUTime + systemCPUTime) / 1000, reads: fsRead };
}

export function createTeam(task: Task, options: TeamOptions): Team {
  const cores = Math.min(availableParallelism(), options.maximumThreads);
  const members: Member[] = [];
  let workedMs = 0;

  const runPhase = async <Input, Output>(
    phase: string,
    work: Phase<Input, Output>,
    input: Input,
    { count, onProgress }: PhaseRun,
  ): Promise<Output[]> => {
    const memory = new SharedArrayBuffer(8);
    const control = new Int32Array(memory);
    const message: PhaseMessage = { taskUrl: task.taskUrl, phase, input, count, control: memory };
    const sent: Promise<unknown>[] = [];
    const send = (member: Member) => {
      const answer = member.send(message);
      answer.catch(() => undefined);
      sent.push(answer);
    };
    if (count > 1) for (const member of members) send(member);
    const enlist = async (threads: number) => {
      const wanted = Math.min(threads, options.maximumThreads, count) - 1 - members.length;
      if (wanted <= 0) return;
      const started = Array.from({ length: wanted }, startMember);
      members.push(...started);
      if (options.withOwnRights === undefined) for (const member of started) send(member);
      else {
        const load: PhaseMessage = { ...message, phase: "", count: 0 };
        // One that cannot be loaded takes no part: the work is done by the others.
        await options.withOwnRights(() => Promise.allSettled(started.map((member) => member.send(load))));
        for (const member of started) send(member);
      }
    };

    const began = performance.now();
    let yielded = began;
    let looked = usage();
    const steps = work(input, takeFrom(control, count));
    let step = steps.next();
    while (step.done !== true) {
      const now = performance.now();
      if (members.length === 0 && workedMs + now - began > ALONE_MS) await enlist(cores);
      if (now - looked.wall > LOOK_AGAIN_MS) {
        const current = usage();
        const threads = members.length + 1;
        const wall = current.wall - looked.wall;
        const waits = current.processor - looked.processor < BUSY_SHARE * Math.min(threads, cores) * wall;
        if (waits && current.reads - looked.reads > DISK_READS_PER_MS * wall) await enlist(threads * 2);
        looked = current;
      }
      if (now - yielded > YIELD_MS) {
        onProgress?.(Math.min(Atomics.load(control, 0), count));
        await new Promise((resolve) => setImmediate(resolve));
        options.signal.throwIfAborted();
        yielded = performance.now();
      }
      step = steps.next();
    }
    workedMs += performance.now() - began;
    // Whoever has not joined by now finds nothing to do; nobody waits for a thread that is still starting.
    const joined = Atomics.or(control, 1, CLOSED);
    return [step.value, ...((await firstAnswers(sent, joined)) as Output[])];
  };

  /** Those that came too late answer undefined, whenever that is. */
  const firstAnswers = async (sent: readonly Promise<unknown>[], joined: number): Promise<unknown[]> => {
    const outputs: unknown[] = [];
    if (joined === 0) return outputs;
    for (const { worker } of members) worker.ref();
    try {
      await new Promise<void>((resolve, reject) => {
        for (const answer of sent) {
          answer.then((output) => {
            if (output === undefined) return;
            if (outputs.push(output) === joined) resolve();
          }, reject);
        }
      });
    } finally {
      for (const { worker } of members) worker.unref();
    }
    return outputs;
  };

  return {
    run: runPhase,
    close: async () => {
      await Promise.all(members.splice(0).map(({ worker }) => worker.terminate()));
    },
  };
}
