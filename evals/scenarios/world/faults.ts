import { type Fault, HOUR } from "./model.ts";
import { shareAt } from "./versions.ts";

/** How active a fault is at a time, 0–1. */
export function activityAt(fault: Fault, at: number): number {
  if (at < fault.from || at >= fault.to) return 0;
  const age = at - fault.from;
  if (fault.pulse !== undefined && age % fault.pulse.everyMs >= fault.pulse.onMs) return 0;
  const ramp = fault.rampMs === undefined || fault.rampMs === 0 ? 1 : Math.min(1, age / fault.rampMs);
  const grown = fault.steps === undefined ? ramp : ramp * shareAt({ shares: fault.steps }, at);
  return fault.fadeMs === undefined ? grown : grown * Math.exp(-age / fault.fadeMs);
}

/** Mean activity over a cell that ends at `end`: a fault that begins inside a cell marks it in part. */
export function cellActivity(fault: Fault, end: number, stepMs: number): number {
  if (end <= fault.from || end - stepMs >= fault.to) return 0;
  const points = [1 / 8, 3 / 8, 5 / 8, 7 / 8];
  return points.reduce((sum, part) => sum + activityAt(fault, end - stepMs * part), 0) / points.length;
}

/** Share of the memory limit that a leak has gained by a time. */
export function leaked(fault: Fault, at: number): number {
  if (fault.memoryPerHour === undefined || at <= fault.from) return 0;
  return (fault.memoryPerHour * (Math.min(at, fault.to) - fault.from)) / HOUR;
}

/** Connections that a leak has left open by a time. */
export function leftOpen(fault: Fault, at: number): number {
  if (fault.leftOpenPerHour === undefined || at <= fault.from) return 0;
  return (fault.leftOpenPerHour * (Math.min(at, fault.to) - fault.from)) / HOUR;
}

/** The same fault with its strength times `factor`; probabilities and shares stay below one. */
export function scaled(fault: Fault, factor: number): Fault {
  const around = (value: number | undefined) => (value === undefined ? undefined : 1 + (value - 1) * factor);
  const upTo = (value: number | undefined, top: number) =>
    value === undefined ? undefined : Math.min(top, value * factor);
  const parts = {
    errors: upTo(fault.errors, 0.9),
    latencyFactor: around(fault.latencyFactor),
    addedMs: upTo(fault.addedMs, 20_000),
    cpuFactor: around(fault.cpuFactor),
    memoryPerHour: upTo(fault.memoryPerHour, 3),
    unready: upTo(fault.unready, 1),
    stall: fault.stall === undefined ? undefined : { ...fault.stall, share: Math.min(0.4, fault.stall.share * factor) },
    ceiling: fault.ceiling === undefined ? undefined : fault.ceiling / factor,
    quota: fault.quota === undefined ? undefined : fault.quota / factor,
    turnedAway: upTo(fault.turnedAway, 0.9),
    rejects:
      fault.rejects === undefined ? undefined : { ...fault.rejects, share: Math.min(1, fault.rejects.share * factor) },
    takesAtMost: fault.takesAtMost === undefined ? undefined : fault.takesAtMost / factor,
    calling:
      fault.calling === undefined
        ? undefined
        : { ...fault.calling, timeoutMs: Math.max(1, Math.round(fault.calling.timeoutMs / factor)) },
    calls: fault.calls === undefined ? undefined : { ...fault.calls, factor: around(fault.calls.factor) ?? 1 },
  };
  return { ...fault, ...Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) };
}
