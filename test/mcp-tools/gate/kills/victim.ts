import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import type { Wire } from "../../../fakes/wire.ts";
import type { Task } from "./acting.ts";

/**
 * What a process that acts comes by. At the ledger: before, inside (its work is done, nothing is committed) and after a
 * transaction, before and after the watch's record of the incident. At the target: a read; a write that is lost with the
 * process, one that still arrives after its death, and one whose answer finds nobody.
 */
export const PLACES = [
  "before transaction",
  "inside transaction",
  "after transaction",
  "before incident",
  "after incident",
  "read",
  "write lost",
  "write arrives",
  "write answered",
] as const;
/** `write late`: as `write arrives`, but only after `late`, when another process may have acted already. */
export type Place = (typeof PLACES)[number] | "write late";

/** How often a plan of three that is left alone comes by a place, at least: where it waits for a service, more often. */
export function timesAt(place: Place): number {
  if (place === "read") return 18;
  if (place.endsWith("incident")) return 2;
  return place.startsWith("write") ? 3 : 10;
}

/** The n-th time (from 1) that it comes by a place. */
export interface Moment {
  readonly place: Place;
  readonly nth: number;
}

export interface Life {
  /** How often it came by each place. */
  readonly came: ReadonlyMap<Place, number>;
  /** False: it came to its end first. */
  readonly killed: boolean;
  readonly tookMs: number;
}

/** When it is killed with SIGKILL: at a moment, so many ms after its start, or never. */
export type Death = Moment | { readonly afterMs: number } | null;

/** Lets a process act through this wire until it ends or is killed; resolves when it is gone. */
export async function live(task: Omit<Task, "stepped">, wire: Wire, death: Death, late?: Promise<void>): Promise<Life> {
  const byTime = death !== null && "afterMs" in death;
  const stepped: Task = { ...task, stepped: !byTime };
  const child = spawn(process.execPath, [join(import.meta.dirname, "acting-process.ts"), JSON.stringify(stepped)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.on("error", () => {});
  const since = performance.now();
  const exited = once(child, "exit");
  const came = new Map<Place, number>();
  let killed = false;
  let ended = false;

  const kill = async () => {
    killed = child.kill("SIGKILL");
    await exited;
  };
  /** Whether it died there. */
  const reach = async (place: Place): Promise<boolean> => {
    if (killed) return true;
    const nth = (came.get(place) ?? 0) + 1;
    came.set(place, nth);
    if (death === null || !("place" in death) || death.place !== place || death.nth !== nth) return false;
    await kill();
    return true;
  };
  if (!byTime)
    wire.watch({
      async before({ method }) {
        if (method === "GET") return (await reach("read")) ? "cut" : "pass";
        if (await reach("write lost")) return "cut";
        if (late !== undefined && (await reach("write late"))) await late;
        await reach("write arrives");
        return "pass";
      },
      async after({ method }) {
        return method !== "GET" && (await reach("write answered")) ? "cut" : "pass";
      },
    });
  const lines = createInterface({ input: child.stdout });
  const closed = once(lines, "close");
  lines.on("line", async (line) => {
    if (line === "end") ended = true;
    if (!line.startsWith("at ")) return;
    if (!(await reach(line.slice(3) as Place))) child.stdin.write("on\n");
  });
  if (byTime) {
    await Promise.race([delay(death.afterMs), exited]);
    if (child.exitCode === null) await kill();
  }
  await exited;
  await closed;
  if (late === undefined) await wire.quiet();
  wire.watch(null);
  if (!killed && !ended) throw new Error("a process ended before its work; see standard error");
  return { came, killed: killed && !ended, tookMs: performance.now() - since };
}
