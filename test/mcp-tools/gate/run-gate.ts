import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { GateAnswer } from "../../../core/model/plan.ts";
import type { Task } from "./gate-process.ts";

export interface Ended {
  /** null: the process died before it could say. */
  readonly answers: readonly GateAnswer[] | null;
  readonly steps: number;
  readonly signal: NodeJS.Signals | null;
}

export interface Started {
  /** Lets it begin; resolves when it has ended. */
  go(): Promise<Ended>;
}

/** Starts a gate in a process of its own, and resolves when it stands ready to begin. */
export async function startGate(task: Task): Promise<Started> {
  const script = join(import.meta.dirname, "gate-process.ts");
  const child = spawn(process.execPath, [script, JSON.stringify(task)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines: string[] = [];
  const exited = once(child, "exit");
  const reader = createInterface({ input: child.stdout });
  reader.on("line", (line) => lines.push(line));
  const closed = once(reader, "close");
  await Promise.race([once(reader, "line"), exited]);
  return {
    async go() {
      child.stdin.end("go\n");
      const [, signal] = await exited;
      await closed;
      const said = lines.find((line) => line.startsWith("{"));
      if (said === undefined && signal === null) throw new Error("a gate ended without an answer; see standard error");
      return { answers: null, steps: 0, ...(said === undefined ? {} : JSON.parse(said)), signal };
    },
  };
}

export const runGate = async (task: Task): Promise<Ended> => (await startGate(task)).go();
