import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { tied } from "../tied.ts";

/** A server in a process of its own, that a test may hang, kill and start again. It ends with this process at the latest. */
export interface Program extends AsyncDisposable {
  readonly name: string;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  /** Stops it where it stands: connections are accepted by the kernel, and nothing is answered (SIGSTOP). */
  hang(): void;
  /** Lets a hung one go on (SIGCONT). */
  resume(): void;
  /** Ends it as a power cut would; resolves when it is gone. */
  kill(): Promise<void>;
  /** Ends it in order (SIGTERM, and SIGKILL where it takes longer than ten seconds). */
  stop(): Promise<void>;
  /** Starts it again, the same arguments, and waits until it is ready. */
  start(): Promise<void>;
}

export interface ProgramOptions {
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  /** Beside the environment that is there. */
  readonly env?: Readonly<Record<string, string>>;
  /** Standard output and error are appended to it. */
  readonly logFile: string;
  /** Asked until it holds; a program that ends before is an error with the end of its log. */
  readonly ready: () => Promise<boolean>;
}

const POLL_MS = 50;
const GRACE_MS = 10_000;
/** Far beyond what any of them takes on a busy machine. */
const PATIENCE_MS = 90_000;

/** Starts it and waits until it is ready. Throws with the end of its log where it never is; nothing is left running then. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const { name, ready, logFile } = options;
  let child = spawned(options);
  const alive = () => child.exitCode === null && child.signalCode === null;
  const ending = async (signal: "SIGTERM" | "SIGKILL") => {
    if (!alive()) return;
    const gone = once(child, "exit");
    child.kill(signal);
    // A process that hangs takes no SIGTERM before it is let go on.
    child.kill("SIGCONT");
    const timer = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
    await gone;
    clearTimeout(timer);
  };
  const becomesReady = async () => {
    for (let rest = PATIENCE_MS; rest > 0; rest -= POLL_MS) {
      if (!alive()) break;
      if (await ready().catch(() => false)) return;
      await wait(POLL_MS);
    }
    const state = alive() ? "was not ready in time" : `ended with ${child.exitCode ?? child.signalCode}`;
    await ending("SIGKILL");
    throw new Error(`${name} ${state}: ${readFileSync(logFile, "utf8").slice(-2000)}`);
  };
  await becomesReady();
  return {
    name,
    get pid() {
      return child.pid ?? 0;
    },
    hang: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    kill: () => ending("SIGKILL"),
    stop: () => ending("SIGTERM"),
    async start() {
      if (alive()) throw new Error(`${name} runs already`);
      child = spawned(options);
      await becomesReady();
    },
    [Symbol.asyncDispose]: () => ending("SIGKILL"),
  };
}

function spawned({ path, args, env = {}, logFile }: ProgramOptions): ChildProcess {
  const log = openSync(logFile, "a");
  const [command, all] = tied(path, args);
  const child = spawn(command, [...all], {
    env: { ...process.env, ...env },
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.on("error", () => undefined);
  return child;
}
