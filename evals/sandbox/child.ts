import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A program of the sandbox in a process of its own, with a pipe for lines of JSON each way. */
export interface Child {
  readonly pid: number;
  /** The first line that it says; undefined if it ended without a word. */
  readonly firstLine: Promise<unknown>;
  /** Resolves with the exit code when it has ended; 128 + signal number where a signal ended it, as shells count. */
  readonly exited: Promise<number>;
  say(message: unknown): void;
  onLine(listener: (message: unknown) => void): void;
  signal(signal: "SIGTERM" | "SIGKILL"): void;
}

export interface ChildOptions {
  /** Where standard error goes: what Node says when a program crashes. */
  readonly stderrFile: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Compiled code is kept here, so that the next process of the same program starts faster. */
  readonly compileCache: string;
}

/** Young generation kept small and old one bounded, so that a pod's memory says something about its load. */
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning", "--max-semi-space-size=2", "--max-old-space-size=64"];

/**
 * Starts `program`, given as it stands in the source tree ("./service/main.ts"), relative to this file. It inherits
 * nothing of this process's environment.
 */
export function startChild(program: string, { stderrFile, env = {}, compileCache }: ChildOptions): Child {
  const extension = import.meta.filename.endsWith(".ts") ? ".ts" : ".js";
  const file = fileURLToPath(new URL(program.replace(/\.ts$/, extension), import.meta.url));
  const stderr = openSync(stderrFile, "a");
  const child = spawn(process.execPath, [...NODE_FLAGS, file], {
    stdio: ["pipe", "pipe", stderr],
    env: { ...env, NODE_COMPILE_CACHE: compileCache },
  });
  closeSync(stderr);
  return attach(child);
}

function attach(child: ChildProcess): Child {
  const { pid, stdin, stdout } = child;
  if (pid === undefined || stdin === null || stdout === null) throw new Error("the process could not be started");
  // A child that died leaves a broken pipe; that it died is said by `exited`.
  stdin.on("error", () => undefined);
  const lines = createInterface({ input: stdout });
  const exited = new Promise<number>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
  const firstLine = new Promise<unknown>((resolve) => {
    lines.once("line", (line) => resolve(JSON.parse(line)));
    lines.once("close", () => resolve(undefined));
  });
  return {
    pid,
    firstLine,
    exited,
    say(message) {
      if (stdin.writable) stdin.write(`${JSON.stringify(message)}\n`);
    },
    onLine(listener) {
      lines.on("line", (line) => listener(JSON.parse(line)));
    },
    signal(signal) {
      child.kill(signal);
    },
  };
}

/** SIGTERM, then SIGKILL after `graceMs`; resolves when the process has ended. */
export async function stopChild(child: Child, graceMs: number): Promise<void> {
  child.signal("SIGTERM");
  const timer = setTimeout(() => child.signal("SIGKILL"), graceMs);
  await child.exited;
  clearTimeout(timer);
}
