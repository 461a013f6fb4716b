import { spawn } from "node:child_process";

export interface CommandOptions {
  /** Where it runs; null: where unship does. */
  readonly directory: string | null;
  /** All that it sees of the environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

/** How a command ended. `started` false: there is no such program, so it did nothing. */
export interface Ended {
  readonly started: boolean;
  /** Exit code; null where a signal ended it. */
  readonly code: number | null;
  /** It took too long, or was not wanted any more, and was killed with all that it had started. */
  readonly killed: boolean;
  /** The end of what it printed, on either stream. */
  readonly output: string;
  /** The end of its standard output alone. */
  readonly printed: string;
}

/** So much of the end of an output is kept: the last lines say why it failed. */
const MOST_BYTES = 16 * 1024;

/**
 * Runs a program with these arguments, without a shell: no argument is ever read as more than one. It gets no input,
 * and a process group of its own, so that a time-out ends its children too. Never throws.
 */
export function runCommand(
  argv: readonly string[],
  { directory, environment, timeoutMs }: CommandOptions,
  abort: AbortSignal,
): Promise<Ended> {
  const [program = "", ...rest] = argv;
  const { promise, resolve } = Promise.withResolvers<Ended>();
  const child = spawn(program, rest, {
    detached: true,
    env: environment,
    shell: false,
    stdio: ["ignore", "pipe", "pipe"],
    ...(directory === null ? {} : { cwd: directory }),
  });
  const both = tail();
  const out = tail();
  child.stdout.on("data", (chunk: Buffer) => {
    both.add(chunk);
    out.add(chunk);
  });
  child.stderr.on("data", (chunk: Buffer) => both.add(chunk));
  let killed = false;
  const kill = () => {
    killed = true;
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It is gone already.
    }
  };
  const timer = setTimeout(kill, timeoutMs);
  abort.addEventListener("abort", kill, { once: true });
  if (abort.aborted) kill();
  const end = (started: boolean, code: number | null) => {
    clearTimeout(timer);
    abort.removeEventListener("abort", kill);
    resolve({ started, code, killed, output: both.text(), printed: out.text() });
  };
  child.once("error", () => end(child.pid !== undefined, null));
  child.once("close", (code) => end(true, code));
  return promise;
}

function tail() {
  let kept = Buffer.alloc(0);
  return {
    add(chunk: Buffer): void {
      kept = Buffer.concat([kept, chunk]).subarray(-MOST_BYTES);
    },
    text: () => kept.toString("utf8"),
  };
}
