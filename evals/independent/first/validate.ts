// Checks bundles against the published format, independently of the generator's own types: every file, key, unit and
// time, the references between them, and that the truth can be true (`node validate.ts DIR…`). Exit 1 on any fault.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

type Json = Record<string, unknown>;
const UNITS: Record<string, string> = {
  request_rate: "req/s",
  error_rate: "ratio",
  p50_latency: "ms",
  p99_latency: "ms",
  cpu_usage: "ratio",
  memory_usage: "ratio",
  health_check_failures: "count",
};
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const ACTIONS = ["rollback", "feature_flag_disable", "hotfix_recommendation", "no_action"];
const FILES = [
  "incident.json",
  "series.jsonl",
  "changes.jsonl",
  "topology.json",
  "logs.jsonl",
  "spans.jsonl",
  "alerts.jsonl",
  "truth.json",
];

let faults = 0;
let where = "";
function check(ok: boolean, what: string): void {
  if (ok) return;
  faults++;
  if (faults < 60) console.error(`${where}: ${what}`);
}

const text = (x: unknown): boolean => typeof x === "string" && x !== "";
const whole = (x: unknown): boolean => Number.isInteger(x) && (x as number) >= 0;
const time = (x: unknown): boolean => typeof x === "string" && TIME.test(x) && !Number.isNaN(Date.parse(x));

function only(o: Json, name: string, must: string[], may: string[] = []): void {
  for (const k of must) check(k in o, `${name} lacks ${k}`);
  for (const k of Object.keys(o)) check(must.includes(k) || may.includes(k), `${name} has unknown key ${k}`);
}

function rows(dir: string, name: string): Json[] {
  const path = join(dir, name);
  check(!(existsSync(path) && existsSync(`${path}.gz`)), `${name} stands twice`);
  const body = existsSync(path)
    ? readFileSync(path, "utf8")
    : existsSync(`${path}.gz`)
      ? gunzipSync(readFileSync(`${path}.gz`)).toString("utf8")
      : "";
  return body
    .split("\n")
    .filter((l) => l !== "")
    .map((l) => JSON.parse(l) as Json);
}

function bundle(dir: string): void {
  for (const f of readdirSync(dir)) check(FILES.includes(f.replace(/\.jsonl\.gz$/, ".jsonl")), `unknown file ${f}`);
  const inc = JSON.parse(readFileSync(join(dir, "incident.json"), "utf8")) as Json;
  only(inc, "incident", ["schema", "id", "title", "watch", "services"], ["human"]);
  check(inc.schema === 1, "schema is not 1");
  check(dir.endsWith(String(inc.id)), "id is not the folder's name");
  const watch = inc.watch as { start: string; end: string };
  check(time(watch.start) && time(watch.end), "watch times");
  const start = Date.parse(watch.start) / 1000;
  const end = Date.parse(watch.end) / 1000;
  check(end - start >= 45 * 60 && end - start <= 90 * 60, "watch is not 45 to 90 minutes long");
  const names = new Set<string>();
  for (const s of inc.services as Json[]) {
    only(s, "service", ["name", "namespace", "criticality"], ["revenue_per_minute"]);
    check(text(s.name) && !names.has(s.name as string), `service ${s.name} twice`);
    check(["low", "medium", "high", "critical"].includes(s.criticality as string), "criticality");
    names.add(s.name as string);
  }

  const series = rows(dir, "series.jsonl");
  check(series.length > 0, "no series");
  const seen = new Set<string>();
  for (const s of series) {
    only(s, "series", ["service", "metric", "unit", "start", "step", "values"], ["labels", "worse"]);
    const key = JSON.stringify([s.service, s.metric, s.labels, s.step, s.labels ? s.start : 0]);
    check(!seen.has(key), `series twice: ${key}`);
    seen.add(key);
    check(names.has(s.service as string), `series of unknown service ${s.service}`);
    const unit = UNITS[s.metric as string];
    check(unit === undefined || unit === s.unit, `unit of ${s.metric}`);
    check(s.worse === undefined || ["up", "down", "either"].includes(s.worse as string), "worse");
    check(whole(s.start) && whole(s.step) && (s.step as number) > 0, "start or step");
    const v = s.values as (number | null)[];
    check(
      v.length > 0 && v.every((x) => x === null || (typeof x === "number" && Number.isFinite(x) && x >= 0)),
      `values of ${s.service} ${s.metric}`,
    );
    if (s.unit === "ratio")
      check(
        v.every((x) => x === null || x <= 1),
        `ratio above 1: ${s.service} ${s.metric}`,
      );
    check((s.start as number) + (v.length - 1) * (s.step as number) <= end, "samples after the watch");
    if (!s.labels && (s.step as number) <= 60)
      check(
        (s.start as number) + (v.length - 1) * (s.step as number) > end - 2 * (s.step as number),
        "whole-service series ends early",
      );
  }
  for (const n of names)
    for (const m of ["request_rate", "error_rate", "p99_latency"])
      check(
        series.some((s) => s.service === n && s.metric === m && !s.labels && (s.step as number) <= 60),
        `${n} lacks ${m}`,
      );

  const changes = rows(dir, "changes.jsonl");
  const ids = new Map<string, Json>();
  for (const c of changes) {
    only(
      c,
      "change",
      ["id", "kind", "service", "from", "to", "started_at", "finished_at", "source", "reversible"],
      ["author", "commit", "diff", "flag", "canary", "provides", "requires"],
    );
    check(text(c.id) && !ids.has(c.id as string), `change id ${c.id} twice`);
    ids.set(c.id as string, c);
    check(["deploy", "flag", "config", "migration"].includes(c.kind as string), "kind");
    check(names.has(c.service as string), `change of unknown service ${c.service}`);
    check(
      time(c.started_at) && time(c.finished_at) && (c.started_at as string) <= (c.finished_at as string),
      "change times",
    );
    check(text(c.from) && text(c.to) && text(c.source) && typeof c.reversible === "boolean", `fields of ${c.id}`);
    check(c.from !== c.to, `${c.id} changes nothing`);
    check((c.kind === "flag") === (c.flag !== undefined), `flag of ${c.id}`);
    check(c.canary === undefined || ((c.canary as number) > 0 && (c.canary as number) < 1), "canary");
    for (const [s, v] of Object.entries((c.requires as Record<string, string>) ?? {}))
      check(
        names.has(s) &&
          changes.some((x) => x.service === s && x.to === v && (x.started_at as string) < (c.started_at as string)),
        `${c.id} requires ${s} ${v}, which is not there`,
      );
  }
  for (const n of names) {
    const own = changes.filter((c) => c.kind === "deploy" && c.service === n);
    for (let i = 1; i < own.length; i++) {
      const a = own[i - 1] as Json;
      check(a.canary !== undefined || (own[i] as Json).from === a.to, `versions of ${n} do not follow on`);
      check(
        (a.finished_at as string) <= ((own[i] as Json).started_at as string) || a.canary !== undefined,
        `rollouts of ${n} overlap`,
      );
    }
  }

  const topo = JSON.parse(readFileSync(join(dir, "topology.json"), "utf8")) as {
    edges: [string, string][];
    external?: string[];
  };
  only(topo as unknown as Json, "topology", ["edges"], ["external"]);
  const nodes = new Set([...names, ...(topo.external ?? [])]);
  for (const [a, b] of topo.edges) check(names.has(a) && nodes.has(b) && a !== b, `edge ${a} ${b}`);

  for (const l of rows(dir, "logs.jsonl")) {
    only(l, "log", ["at", "service", "level", "message"], ["version"]);
    check(time(l.at) && names.has(l.service as string) && text(l.message) && text(l.level), "log line");
    check(Date.parse(l.at as string) / 1000 <= end, "log after the watch");
  }
  const spans = rows(dir, "spans.jsonl");
  const spanIds = new Set(spans.map((s) => s.span_id));
  for (const s of spans) {
    only(s, "span", ["trace_id", "span_id", "service", "name", "start", "duration", "error"], ["parent_id", "version"]);
    check(
      whole(s.start) &&
        whole(s.duration) &&
        typeof s.error === "boolean" &&
        names.has(s.service as string) &&
        text(s.name),
      "span",
    );
    check(s.parent_id === undefined || spanIds.has(s.parent_id), "span without its parent");
  }
  for (const a of rows(dir, "alerts.jsonl")) {
    only(a, "alert", ["fingerprint", "status", "labels", "annotations", "startsAt"], ["endsAt"]);
    check(
      time(a.startsAt) &&
        (a.endsAt === undefined || time(a.endsAt)) &&
        ["firing", "resolved"].includes(a.status as string),
      "alert",
    );
    check((a.status === "resolved") === (a.endsAt !== undefined), "alert status and end");
  }

  const t = JSON.parse(readFileSync(join(dir, "truth.json"), "utf8")) as Json;
  only(t, "truth", ["faulty", "action", "acceptable", "culprit", "targets", "onset", "family", "why"], ["approval"]);
  const acceptable = t.acceptable as string[];
  const targets = t.targets as string[];
  check(
    ACTIONS.includes(t.action as string) &&
      acceptable.includes(t.action as string) &&
      acceptable.every((a) => ACTIONS.includes(a)),
    "action",
  );
  check(text(t.family) && text(t.why), "family and why");
  if (t.faulty) {
    const c = ids.get(t.culprit as string) as Json;
    check(c !== undefined && targets.every((x) => ids.has(x)), "culprit or targets unknown");
    check(
      targets.length === 0 ? t.action === "hotfix_recommendation" : targets.includes(t.culprit as string),
      "targets lack the culprit",
    );
    check(time(t.onset), "onset");
    const onset = Date.parse(t.onset as string);
    check(onset / 1000 > start && onset / 1000 < end - 600, "onset outside the watch");
    for (const x of targets)
      check(Date.parse((ids.get(x) as Json).started_at as string) <= onset, `target ${x} begins after the onset`);
    check((c.kind === "flag") === (t.action === "feature_flag_disable"), "flags are switched off, all else is not");
    check(c.reversible === true || t.action === "hotfix_recommendation", "irreversible and yet rolled back");
    const before = changes.some(
      (x) =>
        x.kind === "deploy" &&
        targets.includes(x.id as string) === false &&
        Object.entries((x.requires as Record<string, string>) ?? {}).some(([s, v]) =>
          targets.some((y) => (ids.get(y) as Json).service === s && (ids.get(y) as Json).to === v),
        ),
    );
    check(!before, "a change that requires a target is not a target");
  } else
    check(t.action === "no_action" && t.culprit === null && targets.length === 0 && t.onset === null, "innocent truth");
}

let count = 0;
for (const root of process.argv.slice(2)) {
  const dirs = existsSync(join(root, "incident.json")) ? [root] : readdirSync(root).map((d) => join(root, d));
  for (const d of dirs) {
    where = d;
    count++;
    try {
      bundle(d);
    } catch (e) {
      check(false, `unreadable: ${e instanceof Error ? e.message : String(e)}`);
    }
  }
}
console.log(`${count} bundles, ${faults} faults`);
process.exit(faults > 0 ? 1 : 0);
