import type { Draw } from "../draw.ts";
import { activityAt } from "../world/faults.ts";
import { type Call, type Fault, MINUTE, type PlannedChange, type Scenario, SECOND } from "../world/model.ts";
import { answersTo, type Course, figure } from "../world/node.ts";
import type { Run } from "../world/simulate.ts";
import { lateOf } from "../world/slot.ts";
import { versionName } from "../world/versions.ts";

/** One line of `logs.jsonl`, before it is written. */
export interface LogLine {
  readonly at: number;
  readonly service: string;
  readonly level: "debug" | "info" | "warn" | "error" | "fatal";
  readonly message: string;
  readonly version?: string;
}

/** What services write on any day, errors included; most have nothing to do with anything. */
const USUAL: readonly (readonly [LogLine["level"], string, number])[] = [
  ["info", "request completed id={id} status=200 in {ms}ms", 8],
  ["info", "cache refreshed entries={n}", 3],
  ["info", "consumed batch of {n} messages offset={id}", 2],
  ["debug", "connection pool stats active={n} idle={n}", 2],
  ["info", "config reloaded checksum={hex}", 1],
  ["warn", "slow query took {ms}ms id={id}", 2],
  ["warn", "client closed request before response id={id}", 2],
  ["warn", "retrying idempotent call attempt=2 id={id}", 2],
  ["error", "failed to publish metric batch: buffer full dropped={n}", 0.6],
  ["error", "session {hex} not found", 1],
  ["error", "invalid input: field 'email' must not be empty id={id}", 1],
  ["warn", "clock skew of {n}ms against peer {hex}", 0.4],
];
/** What every deploy writes, good or bad: warnings that mean nothing. */
const AT_DEPLOY: readonly (readonly [LogLine["level"], string])[] = [
  ["info", "starting {service} version {version} pid={n}"],
  ["warn", "configuration key 'http.legacy_mode' is deprecated and will be removed"],
  ["warn", "SIGTERM received, draining {n} connections"],
  ["error", "connection reset by peer while draining id={id}"],
  ["info", "readiness probe passed after {ms}ms"],
  ["warn", "feature toggle cache is cold, using defaults"],
];
/** Lines a minute of the whole system that are kept, and of one service in trouble: log stores sample. */
const USUAL_PER_MINUTE = 3;
const MOST_PER_MINUTE = 14;

/** What the services write: usual noise, deploys, requests that fail of a fault, and callers that name who failed them. */
export function writeLogs(scenario: Scenario, run: Run, draw: Draw): readonly LogLine[] {
  const fill = filler(draw.stream("ids"));
  const names = [...run.courses.values()]
    .filter(({ service }) => service.tier !== "external")
    .map(({ service }) => service.name);
  const lines: LogLine[] = scenario.lines.map((line) => ({ ...line, message: fill(line.message) }));
  const noise = draw.stream("usual");
  const { start, stepMs, length } = run.grid;
  const end = start + (length - 1) * stepMs;
  for (let at = start; at < end; at += noise.exponential(MINUTE / USUAL_PER_MINUTE)) {
    const [level, message] = weighted(noise, USUAL);
    lines.push({ at, service: noise.pick(names), level, message: fill(message) });
  }
  for (const change of scenario.changes)
    if (change.kind === "deploy" && change.startedAt >= start)
      lines.push(...deployLines(change, draw.stream(change.id), fill));
  for (const course of run.courses.values())
    if (course.service.tier !== "external")
      lines.push(...troubleLines(scenario, run, course, draw.stream(course.service.name), fill));
  return lines.filter(({ at }) => at >= start && at <= end).sort((a, b) => a.at - b.at);
}

type Fill = (message: string, more?: Readonly<Record<string, string>>) => string;

function filler(draw: Draw): Fill {
  return (message, more = {}) =>
    message.replaceAll(/\{(\w+)\}/g, (whole, name: string) => {
      if (more[name] !== undefined) return more[name];
      if (name === "id") return String(draw.integer(100_000, 9_999_999));
      if (name === "n") return String(draw.integer(1, 400));
      if (name === "ms") return String(draw.integer(3, 900));
      return name === "hex" ? draw.hex(12) : whole;
    });
}

function weighted(draw: Draw, choices: typeof USUAL): (typeof USUAL)[number] {
  let point = draw.uniform(
    0,
    choices.reduce((sum, [, , weight]) => sum + weight, 0),
  );
  for (const choice of choices) {
    point -= choice[2];
    if (point < 0) return choice;
  }
  return draw.pick(choices);
}

function deployLines(change: PlannedChange, draw: Draw, fill: Fill): readonly LogLine[] {
  const starts = change.shares.filter(({ share }) => share > 0).slice(0, 4);
  return starts.flatMap(({ at }) =>
    AT_DEPLOY.filter(() => draw.chance(0.45)).map(([level, message]) => ({
      at: at + draw.uniform(0, 8) * SECOND,
      service: change.service,
      level,
      message: fill(message, { service: change.service, version: change.to }),
      version: change.to,
    })),
  );
}

/** Lines about requests that fail: of the fault where they fail, and of the callee at those who call it. */
function troubleLines(scenario: Scenario, run: Run, course: Course, draw: Draw, fill: Fill): readonly LogLine[] {
  const { service, versions } = course;
  const lines: LogLine[] = [];
  const { start, stepMs, length } = run.grid;
  const seconds = stepMs / 1000;
  const most = (MOST_PER_MINUTE * stepMs) / MINUTE;
  const faults = scenario.faults.filter(
    (fault) => fault.service === service.name && fault.signature !== undefined && !isOfCalls(fault),
  );
  const versionAt = (cell: number) => {
    const newer = versions.newer[cell] ?? -1;
    const position = draw.chance(versions.share[cell] ?? 1) ? newer : newer - 1;
    return versionName(versions, position, `v${service.version.major}.${service.version.minor}.0`);
  };
  for (let cell = 1; cell < length; cell++) {
    const end = start + cell * stepMs;
    const count = (course.rate[cell] ?? 0) * seconds;
    const when = () => end - draw.uniform(0, stepMs);
    for (const fault of faults) {
      const failing = count * failingOf(fault, course, cell, end, scenario.changes);
      for (let left = draw.poisson(Math.min(most, failing)); left > 0; left--) {
        const { errors, unready, quota, rejects } = fault;
        const level = [errors, unready, quota, rejects].every((part) => part === undefined) ? "warn" : "error";
        lines.push({
          at: when(),
          service: service.name,
          level,
          message: fill(fault.signature ?? ""),
          version: versionOf(fault, scenario.changes) ?? versionAt(cell),
        });
      }
    }
    const passed = count * Math.max(0, figure(course, cell, "errors") - figure(course, cell, "ownErrors"));
    for (let left = draw.poisson(Math.min(most, 0.3 * passed)); left > 0; left--) {
      const blamed = blame(scenario, run, course, cell, draw);
      if (blamed !== null)
        lines.push({
          at: when(),
          service: service.name,
          level: "error",
          message: fill(blamed),
          version: versionAt(cell),
        });
    }
    const shed = (course.load[cell] ?? 0) > 1 ? count * (1 - 1 / (course.load[cell] ?? 1)) : 0;
    for (let left = draw.poisson(Math.min(most / 2, shed)); left > 0; left--)
      lines.push({
        at: when(),
        service: service.name,
        level: "error",
        message: fill("request rejected: worker queue full id={id}"),
        version: versionAt(cell),
      });
  }
  return lines;
}

/** Share of a service's requests that hit a fault in a cell: those that fail of it, or that are slow of it. */
function failingOf(fault: Fault, course: Course, cell: number, end: number, changes: readonly PlannedChange[]): number {
  const activity = activityAt(fault, end);
  if (activity === 0) return 0;
  if (fault.quota !== undefined) return course.overQuota[cell] ?? 0;
  if (fault.rejects !== undefined) return figure(course, cell, "rejected");
  const touched = touchedBy(fault, course, cell);
  if (ofTheOthers(fault)) return activity * touched * (1 - (course.versions.share[cell] ?? 1));
  if (fault.withVersion !== true) return activity * touched;
  const position = course.versions.deploys.findIndex(({ id }) => id === fault.because);
  const newer = course.versions.newer[cell] ?? -1;
  if (position < 0 || newer < position || !changes.some(({ id }) => id === fault.because)) return 0;
  const fixed = course.versions.deploys.findIndex(({ id }) => id === fault.fixedBy);
  const share =
    newer === position
      ? (course.versions.share[cell] ?? 1)
      : fixed >= 0 && newer >= fixed
        ? 1 - (course.versions.share[cell] ?? 1)
        : 1;
  return activity * touched * share;
}

function touchedBy(fault: Fault, course: Course, cell: number): number {
  if (fault.ceiling !== undefined) return Math.max(0, Math.min(0.1, 2 * ((course.pooled[cell] ?? 0) - 0.9)));
  if (fault.stall !== undefined) return fault.stall.share;
  return fault.errors ?? fault.turnedAway ?? (fault.unready === undefined ? 0.02 : 0.2 * fault.unready);
}

function versionOf(fault: Fault, changes: readonly PlannedChange[]): string | undefined {
  const change = changes.find(({ id }) => id === fault.because);
  return fault.withVersion === true ? change?.to : ofTheOthers(fault) ? change?.from : undefined;
}

/** Whether a change makes the fault in the pods that it has not reached. */
const ofTheOthers = ({ because, fixedBy }: Fault) => because !== null && because === fixedBy;

/** What goes wrong between a caller and a callee is written by the caller alone. */
const isOfCalls = ({ refused, calling }: Fault) => refused !== undefined || calling !== undefined;

/** What a caller writes of its calls to a callee, where a fault of those calls is active, and the share that fails of it. */
function ofCalls(
  { faults }: Scenario,
  { caller, callee }: Call,
  course: Course,
  cell: number,
  end: number,
): { readonly share: number; readonly message: string | null } {
  const refused = course.refused[cell] ?? 0;
  if (refused > 0) {
    const fault = faults.find((one) => one.service === callee && one.refused !== undefined);
    return { share: refused, message: `${fault?.signature ?? "connection refused"} calling ${callee} request={id}` };
  }
  const pushed = faults.find((one) => one.service === caller && one.calling?.callee === callee);
  if (pushed?.calling === undefined || activityAt(pushed, end) < 0.5) return { share: 0, message: null };
  return { share: lateOf(course, cell, pushed.calling.timeoutMs), message: pushed.signature ?? null };
}

/** A caller names the callee that failed it: the worse one more often. */
function blame(scenario: Scenario, run: Run, course: Course, cell: number, draw: Draw): string | null {
  const full = (name: string) => (run.courses.get(name)?.lost[cell] ?? 0) > 0;
  const calls = scenario.system.calls.filter(
    ({ caller, callee, queue }) => caller === course.service.name && (!queue || full(callee)),
  );
  const weights = calls.map((call) => {
    const callee = run.courses.get(call.callee);
    if (callee === undefined) return { call, weight: 0, message: null };
    if (call.queue) {
      const message = `cannot send to the queue of ${call.callee}: it is full, message {id} dropped`;
      return { call, weight: call.perRequest * (callee.lost[cell] ?? 0), message };
    }
    const { share, message } = ofCalls(scenario, call, callee, cell, run.grid.start + cell * run.grid.stepMs);
    return { call, weight: call.perRequest * (answersTo(callee, cell, call.caller) + share), message };
  });
  let point = draw.uniform(
    0,
    weights.reduce((sum, { weight }) => sum + weight, 0),
  );
  for (const { call, weight, message } of weights) {
    point -= weight;
    if (point < 0) {
      const { callee, timeoutMs } = call;
      if (message !== null) return message;
      return draw.chance(0.75)
        ? `upstream ${callee} answered 503 for {id}`
        : `deadline of ${timeoutMs}ms exceeded calling ${callee} request={id}`;
    }
  }
  return null;
}
