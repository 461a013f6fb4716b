import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Incident } from "../../core/model/incident.ts";
import { compileCacheVariable } from "../compile-cache.ts";
import { tied } from "../tied.ts";
import { MAIN } from "./main-program.ts";

const Line = z.object({
  at: z.string(),
  event: z.string(),
  text: z.string(),
  incident: Incident.nullable(),
  /** With what is said of a source: which, and what of it. */
  about: z.object({ source: z.string(), what: z.array(z.string()) }).optional(),
  /** With signs of life alone: evaluations since it started. */
  status: z.object({ looks: z.int() }).optional(),
});
/** An event of the watch as its JSON line says it. */
export type WatchLine = z.infer<typeof Line>;

export interface WatchProcess extends AsyncDisposable {
  readonly pid: number;
  readonly lines: readonly WatchLine[];
  /** Whether the process has ended. */
  readonly ended: boolean;
  /** Resolves with the first line, past or future, that fits; null when the process has ended or the time is over. */
  until(fits: (line: WatchLine) => boolean, timeoutMs: number): Promise<WatchLine | null>;
  onLine(listener: (line: WatchLine) => void): void;
  /** Ends it as a power cut would, at once; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Long enough for a tick under way to end. */
const STOP_MS = 5000;

/** Starts `unship watch` as a process of its own, with nothing in its environment but what its configuration names. */
export function startWatch(options: {
  readonly directory: string;
  readonly config: string;
  readonly variables: Readonly<Record<string, string>>;
}): WatchProcess {
  const { directory, config, variables } = options;
  const [command, args] = tied(process.execPath, [MAIN, "watch", "--config", config, "--json"]);
  const child: ChildProcess = spawn(command, [...args], {
    cwd: directory,
    env: { PATH: process.env.PATH, HOME: directory, ...compileCacheVariable(), ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stderr?.pipe(createWriteStream(join(directory, "watch.stderr.log"), { flags: "a" }));
  const lines: WatchLine[] = [];
  const listeners = new Set<(line: WatchLine) => void>();
  const ended = Promise.withResolvers<null>();
  child.once("close", () => ended.resolve(null));
  child.once("error", () => ended.resolve(null));
  onWholeLine(child, (text) => {
    const line = Line.parse(JSON.parse(text));
    lines.push(line);
    for (const listener of listeners) listener(line);
  });
  return {
    pid: child.pid ?? 0,
    lines,
    get ended() {
      return child.exitCode !== null || child.signalCode !== null;
    },
    onLine: (listener) => void listeners.add(listener),
    async until(fits, timeoutMs) {
      const past = lines.find(fits);
      if (past !== undefined) return past;
      const found = Promise.withResolvers<WatchLine | null>();
      const listen = (line: WatchLine) => {
        if (fits(line)) found.resolve(line);
      };
      listeners.add(listen);
      const timer = setTimeout(() => found.resolve(null), timeoutMs);
      try {
        return await Promise.race([found.promise, ended.promise]);
      } finally {
        clearTimeout(timer);
        listeners.delete(listen);
      }
    },
    async kill() {
      child.kill("SIGKILL");
      await ended.promise;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await ended.promise;
      clearTimeout(timer);
    },
  };
}

/** Whole lines only: a process that is killed may leave half of one. */
function onWholeLine({ stdout }: ChildProcess, listener: (text: string) => void): void {
  let rest = "";
  stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) listener(line);
  });
}
