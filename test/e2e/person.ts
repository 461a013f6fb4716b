import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";

/** After a question, before the answer: nobody types sooner, and a terminal hides what is typed only once it was told to. */
const REACTION_MS = 300;
const GOODBYE_MS = 20_000;
const POLL_MS = 100;

/** A terminal in which a command runs, with somebody who reads it and types. */
export interface Desk {
  /** All that it shows so far, without control characters. */
  readonly shown: () => string;
  /** Exit code once the command has ended; null while it runs. */
  readonly code: () => number | null;
  readonly ended: Promise<number>;
  type(keys: string): void;
  /** The first match in what it shows. Throws with all that was shown where none comes in time or the command ends without. */
  until(pattern: RegExp, patienceMs: number): Promise<RegExpExecArray>;
  /** Ctrl-C, and harder where that does not end it. */
  leave(): Promise<void>;
}

/**
 * Opens a terminal of 120 columns (by util-linux' `script`) and runs a shell's command in it. `answers`: what is typed at
 * questions that end what is shown, by their pattern.
 */
export function sitDown(
  command: string,
  {
    cwd,
    env,
    answers,
  }: {
    readonly cwd: string;
    readonly env: NodeJS.ProcessEnv;
    readonly answers: readonly (readonly [RegExp, string])[];
  },
): Desk {
  const given = ["--quiet", "--return", "--flush", "--command", `stty cols 120 rows 50; ${command}`, "/dev/null"];
  const child: ChildProcessWithoutNullStreams = spawn("script", given, {
    cwd,
    env: { ...env, SHELL: "/bin/sh" },
    detached: true, // a process group of its own, so that all of it can be ended
  });
  let raw = "";
  let answered = 0;
  const shown = () => stripVTControlCharacters(raw).replaceAll("\r", "");
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      raw += chunk;
      const all = shown();
      const answer = answers.find(([question]) => question.test(all.slice(answered)))?.[1];
      if (answer === undefined) return;
      answered = all.length;
      setTimeout(() => child.stdin.write(answer), REACTION_MS);
    });
  }
  child.stdin.on("error", () => undefined);
  const ended = once(child, "close").then(() => child.exitCode ?? -1);
  return {
    shown,
    code: () => child.exitCode,
    ended,
    type: (keys) => void child.stdin.write(keys),
    async until(pattern, patienceMs) {
      for (let rest = patienceMs; rest > 0; rest -= POLL_MS) {
        const found = pattern.exec(shown());
        if (found !== null) return found;
        if (child.exitCode !== null) break;
        await wait(POLL_MS);
      }
      throw new Error(`${command}: nothing like ${pattern} was shown, but:\n${shown()}`);
    },
    async leave() {
      if (child.exitCode !== null) return;
      child.stdin.write("\u0003");
      await Promise.race([ended, wait(GOODBYE_MS, undefined, { ref: false })]);
      if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      await ended;
    },
  };
}
