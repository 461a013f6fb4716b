import { randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Who works on an intent, so that a restart takes over at once what a dead process left, and never a live one's. */
export interface Owner {
  readonly id: string;
  /** True only where the other one certainly runs no more; a process that cannot be seen from here may live. */
  gone(other: string): boolean;
}

/**
 * This process: host, pid namespace, pid, the moment it started (a pid may be used again), and a random part, since
 * one process may hold more than one gate.
 */
export function processOwner(): Owner {
  const place = `${hostname()}|${pidNamespace()}`;
  const id = [place, process.pid, startedAt(process.pid), randomUUID()].join("|");
  return {
    id,
    gone(other) {
      const [host, namespace, pid, started] = other.split("|");
      if (`${host}|${namespace}` !== place) return false;
      return !isRunning(Number(pid)) || startedAt(Number(pid)) !== started;
    },
  };
}

/** Pids mean something within one namespace only: two containers can share a host's name and a file. */
function pidNamespace(): string {
  return quietly(() => readlinkSync("/proc/self/ns/pid")) ?? "";
}

/** Field 22 of /proc/<pid>/stat, clock ticks since boot; "" where there is no /proc. @see man 5 proc_pid_stat */
function startedAt(pid: number): string {
  const stat = quietly(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

function quietly(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
