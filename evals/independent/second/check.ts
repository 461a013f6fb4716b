/*
 * Checks bundles of the held-out incident set against the bundle format: `node check.ts DIR…`, each a bundle or a folder of
 * bundles. Prints every violation and a summary of what the set holds; exits with 1 where there is any violation.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

type Row = Record<string, unknown>;
let bad = 0;
const tally = new Map<string, number>();
const add = (what: string): unknown => tally.set(what, (tally.get(what) ?? 0) + 1);

const dirs: string[] = process.argv
  .slice(2)
  .flatMap((d: string) => (existsSync(join(d, "incident.json")) ? [d] : readdirSync(d).map((x: string) => join(d, x))));
for (const dir of dirs) {
  const complain = (text: string): void => {
    bad++;
    if (bad < 60) console.log(`${dir}: ${text}`);
  };
  const read = (name: string): string | null => {
    if (existsSync(join(dir, name))) return readFileSync(join(dir, name), "utf8");
    return existsSync(join(dir, `${name}.gz`)) ? gunzipSync(readFileSync(join(dir, `${name}.gz`))).toString() : null;
  };
  const json = (name: string): Row => JSON.parse(read(name) ?? "null") as Row;
  const rows = (name: string): Row[] =>
    (read(name) ?? "")
      .split("\n")
      .filter((l) => l !== "")
      .map((l) => JSON.parse(l) as Row);
  const keys = (row: Row, what: string, must: string[], may: string[]): void => {
    for (const k of must) if (row[k] === undefined) complain(`${what}: ${k} is missing`);
    for (const k of Object.keys(row)) if (!must.includes(k) && !may.includes(k)) complain(`${what}: unknown key ${k}`);
  };
  const time = (v: unknown, what: string): number => {
    if (typeof v !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(v) || Number.isNaN(Date.parse(v)))
      complain(`${what}: ${String(v)} is no time`);
    return Date.parse(v as string) / 1000;
  };
  const one = (v: unknown, of: unknown[], what: string): void => {
    if (!of.includes(v)) complain(`${what}: ${String(v)} is none of ${of.join(", ")}`);
  };

  const incident = json("incident.json");
  keys(incident, "incident", ["schema", "id", "title", "watch", "services"], ["human"]);
  if (!dir.endsWith(incident.id as string)) complain("id differs from the folder's name");
  const w0 = time((incident.watch as Row).start, "watch.start");
  const w1 = time((incident.watch as Row).end, "watch.end");
  if (w1 - w0 < 44 * 60 || w1 - w0 > 92 * 60) complain(`watch of ${(w1 - w0) / 60} min`);
  const services = new Set<unknown>();
  for (const s of incident.services as Row[]) {
    keys(s, "service", ["name", "namespace", "criticality"], ["revenue_per_minute"]);
    one(s.criticality, ["low", "medium", "high", "critical"], "criticality");
    if (services.has(s.name)) complain(`service ${String(s.name)} twice`);
    services.add(s.name);
  }
  const topology = json("topology.json");
  keys(topology, "topology", ["edges"], ["external"]);
  const external = new Set(topology.external as string[]);
  for (const [a, b] of topology.edges as [string, string][])
    if (!services.has(a) || !(services.has(b) || external.has(b))) complain(`edge ${a} to ${b}: unknown node`);

  const seen = new Set<string>();
  const steps = new Map<string, Set<number>>();
  let samples = 0;
  for (const s of rows("series.jsonl")) {
    const what = `series ${String(s.service)} ${String(s.metric)}`;
    keys(s, what, ["service", "metric", "unit", "start", "step", "values"], ["labels", "worse"]);
    if (!services.has(s.service)) complain(`${what}: unknown service`);
    if (s.worse !== undefined) one(s.worse, ["up", "down", "either"], what);
    const values = s.values as (number | null)[];
    const start = s.start as number;
    const step = s.step as number;
    if (!Number.isInteger(start) || !Number.isInteger(step) || step <= 0 || values.length === 0)
      complain(`${what}: start, step or values`);
    if (start + (values.length - 1) * step > w1 + 1) complain(`${what}: ends after the watch`);
    for (const v of values) {
      if (v === null) continue;
      if (typeof v !== "number" || !Number.isFinite(v)) complain(`${what}: value ${v}`);
      else if (v < 0 || (["error_rate", "cpu_usage", "memory_usage"].includes(s.metric as string) && v > 1))
        complain(`${what}: value ${v} out of range`);
    }
    const key = `${what} ${JSON.stringify(s.labels ?? {})} ${step} ${s.labels !== undefined ? start : ""}`;
    if (seen.has(key)) complain(`${what}: twice`);
    seen.add(key);
    if (s.labels === undefined) steps.set(what, (steps.get(what) ?? new Set()).add(step));
    samples += values.length;
    add(`metric ${String(s.metric)}`);
  }
  for (const [what, of] of steps) if (of.size > 2) complain(`${what}: more than two steps`);

  const ids = new Map<unknown, Row>();
  const current = new Map<unknown, unknown>();
  for (const c of rows("changes.jsonl")) {
    const what = `change ${String(c.id)}`;
    keys(
      c,
      what,
      ["id", "kind", "service", "from", "to", "started_at", "finished_at", "source", "reversible"],
      ["author", "commit", "diff", "flag", "canary", "provides", "requires"],
    );
    one(c.kind, ["deploy", "flag", "config", "migration"], what);
    if (!services.has(c.service)) complain(`${what}: unknown service`);
    if (ids.has(c.id)) complain(`${what}: id twice`);
    ids.set(c.id, c);
    const start = time(c.started_at, what);
    if (c.finished_at !== null && time(c.finished_at, what) < start) complain(`${what}: ends before it starts`);
    if (c.canary !== undefined && !((c.canary as number) > 0 && (c.canary as number) < 1))
      complain(`${what}: canary ${String(c.canary)}`);
    if (c.kind === "flag" && typeof c.flag !== "string") complain(`${what}: flag without name`);
    if (c.kind === "deploy") {
      if (current.has(c.service) && current.get(c.service) !== c.from)
        complain(`${what}: comes from ${String(c.from)}, but ${String(current.get(c.service))} was there`);
      current.set(c.service, c.to);
    }
    for (const [s, v] of Object.entries((c.requires ?? {}) as Record<string, string>))
      if (!services.has(s) || typeof v !== "string") complain(`${what}: requires ${s} ${String(v)}`);
    if (c.finished_at === null) add("unfinished changes");
    add(`change ${String(c.kind)}`);
  }
  for (const l of rows("logs.jsonl")) {
    keys(l, "log", ["at", "service", "level", "message"], ["version"]);
    if (time(l.at, "log") > w1 + 1) complain("log after the watch");
    if (/[#@~]\b|undefined|NaN/.test((l.message as string).replace(/undefined (is|\(reading)|(of|is) undefined/g, "")))
      complain(`log text ${String(l.message)}`);
  }
  for (const s of rows("spans.jsonl")) {
    keys(s, "span", ["trace_id", "span_id", "service", "name", "start", "duration", "error"], ["parent_id", "version"]);
    if (!((s.duration as number) > 0) || (s.start as number) < 1e15) complain("span times");
  }
  for (const a of rows("alerts.jsonl")) {
    keys(a, "alert", ["fingerprint", "status", "labels", "annotations", "startsAt"], ["endsAt"]);
    one(a.status, ["firing", "resolved"], "alert");
    if ((a.status === "resolved") !== (a.endsAt !== undefined)) complain("alert: status and endsAt disagree");
    if (time(a.startsAt, "alert") > w1 + 1) complain("alert after the watch");
  }
  const truth = json("truth.json");
  keys(
    truth,
    "truth",
    ["faulty", "action", "acceptable", "culprit", "targets", "onset", "family", "why"],
    ["approval"],
  );
  const actions = ["rollback", "feature_flag_disable", "hotfix_recommendation", "no_action"];
  one(truth.action, actions, "truth");
  if (!(truth.acceptable as unknown[]).includes(truth.action)) complain("action is not acceptable");
  for (const a of truth.acceptable as unknown[]) one(a, actions, "truth");
  const targets = truth.targets as string[];
  if (truth.faulty === true) {
    const onset = time(truth.onset, "onset");
    if (onset < w0 || onset > w1 - 600) complain("onset outside the watch");
    if (!targets.includes(truth.culprit as string)) complain("culprit is no target");
    for (const t of targets) {
      const c = ids.get(t);
      if (c === undefined) complain(`target ${t} is no change`);
      else if (Date.parse(c.started_at as string) / 1000 > onset + 60) complain("target begins after onset");
    }
    if ((ids.get(truth.culprit)?.kind === "flag") !== (truth.action === "feature_flag_disable"))
      complain("action does not fit the kind of the culprit");
  } else if (truth.culprit !== null || targets.length > 0 || truth.onset !== null || truth.action !== "no_action")
    complain("an innocent bundle with a culprit");
  add(truth.faulty === true ? "faulty" : "innocent");
  add(`family ${String(truth.family)}`);
  for (const f of ["logs.jsonl", "spans.jsonl", "alerts.jsonl"]) if (read(f) !== null) add(`with ${f}`);
  add(samples > 100000 ? "large (over 100,000 samples)" : "small");
}
for (const [k, n] of [...tally].sort()) console.log(`${k.padEnd(36)} ${n}`);
console.log(`${dirs.length} bundles, ${bad} violations`);
process.exit(bad > 0 ? 1 : 0);
