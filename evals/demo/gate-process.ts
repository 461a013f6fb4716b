import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { compileCacheVariable } from "../compile-cache.ts";
import { tied } from "../tied.ts";
import { MAIN } from "./main-program.ts";

export interface GateProcess extends AsyncDisposable {
  readonly pid: number;
  /** What it said so far, line by line. */
  readonly lines: readonly string[];
}

/** Starts `unship gate` with nothing in its environment but what its configuration names, and waits until it answers. */
export async function startGate(options: {
  readonly directory: string;
  readonly config: string;
  readonly variables: Readonly<Record<string, string>>;
}): Promise<GateProcess> {
  const { directory, config, variables } = options;
  const [command, args] = tied(process.execPath, [MAIN, "gate", "--config", config]);
  const child = spawn(command, [...args], {
    cwd: directory,
    env: { PATH: process.env.PATH, HOME: directory, ...compileCacheVariable(), ...variables },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lines: string[] = [];
  const log = createWriteStream(join(directory, "gate.stderr.log"), { flags: "a" });
  const answers = Promise.withResolvers<void>();
  child.once("exit", (code) =>
    answers.reject(new Error(`the gate ended with ${code}: ${lines.slice(-10).join("\n")}`)),
  );
  createInterface({ input: child.stderr }).on("line", (line) => {
    lines.push(line);
    log.write(`${line}\n`);
    if (line.includes("The gate answers at")) answers.resolve();
  });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, "exit");
      child.kill("SIGKILL");
      await gone;
    }
  };
  await answers.promise.catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  answers.promise.catch(() => undefined);
  return { pid: child.pid ?? 0, lines, [Symbol.asyncDispose]: stop };
}
