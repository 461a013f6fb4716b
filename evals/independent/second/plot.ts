/*
 * Draws a bundle of the held-out incident set as text, for a person to look at: `node plot.ts DIR [SERVICE…]`. Each line is one
 * series of the last part of history and of the watch; `|` marks the start of the watch, `*` above marks changes, `!` the onset.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

const [dir, ...only] = process.argv.slice(2) as [string, ...string[]];
const read = (name: string): string =>
  existsSync(join(dir, name))
    ? readFileSync(join(dir, name), "utf8")
    : existsSync(join(dir, `${name}.gz`))
      ? gunzipSync(readFileSync(join(dir, `${name}.gz`))).toString()
      : "";
const rows = <T>(name: string): T[] =>
  read(name)
    .split("\n")
    .filter((l) => l !== "")
    .map((l) => JSON.parse(l) as T);
const incident = JSON.parse(read("incident.json"));
const truth = JSON.parse(read("truth.json"));
const w0 = Date.parse(incident.watch.start) / 1000;
const w1 = Date.parse(incident.watch.end) / 1000;
const width = 110;
const from = w0 - 30 * 60;
const column = (t: number): number => Math.floor(((t - from) / (w1 - from)) * (width - 1));
const clock = (t: string | null): string => (t === null ? "        " : t.slice(11, 19));

console.log(JSON.stringify(truth));
const sizes = {
  logs: rows("logs.jsonl").length,
  spans: rows("spans.jsonl").length,
  alerts: rows("alerts.jsonl").length,
};
console.log(
  `watch ${clock(incident.watch.start)} to ${clock(incident.watch.end)}`,
  JSON.stringify(sizes),
  JSON.parse(read("topology.json"))
    .edges.map((e: string[]) => e.join(">"))
    .join(" "),
);
for (const c of rows<{
  id: string;
  kind: string;
  service: string;
  from: string;
  to: string;
  started_at: string;
  finished_at: string | null;
  requires?: unknown;
  canary?: number;
}>("changes.jsonl")) {
  const t = Date.parse(c.started_at) / 1000;
  if (t > from - 3600)
    console.log(
      `${truth.targets.includes(c.id) ? "!" : "*"} ${clock(c.started_at)} ${clock(c.finished_at)} ${c.kind} ${c.service} ${c.from} → ${c.to} ${c.requires !== undefined ? JSON.stringify(c.requires) : ""} ${c.canary ?? ""}`,
    );
}
const marks = Array.from({ length: width }, () => " ");
marks[column(w0)] = "|";
for (const c of rows<{ started_at: string }>("changes.jsonl")) {
  const at = column(Date.parse(c.started_at) / 1000);
  if (at >= 0 && at < width) marks[at] = "*";
}
if (truth.onset !== null) marks[column(Date.parse(truth.onset) / 1000)] = "!";
console.log(`${"".padEnd(44)}${marks.join("")}`);
const glyphs = " ▁▂▃▄▅▆▇█";
const all = rows<{
  service: string;
  metric: string;
  labels?: Record<string, string>;
  start: number;
  step: number;
  values: (number | null)[];
}>("series.jsonl");
all.sort((a, b) => `${a.service} ${a.metric}`.localeCompare(`${b.service} ${b.metric}`));
for (const s of all) {
  if ((only.length > 0 && !only.includes(s.service)) || s.step > 120) continue;
  const cells: number[][] = Array.from({ length: width }, () => []);
  s.values.forEach((v, i) => {
    const c = column(s.start + i * s.step);
    if (v !== null && c >= 0 && c < width) cells[c]?.push(v);
  });
  const means = cells.map((c) => (c.length === 0 ? null : c.reduce((a, v) => a + v, 0) / c.length));
  const known = means.filter((v): v is number => v !== null);
  if (known.length === 0) continue;
  const top = Math.max(...known);
  const low =
    s.metric.endsWith("latency") || s.metric.endsWith("usage") || s.metric === "request_rate"
      ? Math.min(...known) * 0.8
      : 0;
  const line = means
    .map((v) =>
      v === null ? "·" : glyphs[Math.max(0, Math.min(8, Math.round(((v - low) / Math.max(1e-9, top - low)) * 8)))],
    )
    .join("");
  console.log(
    `${`${s.service} ${s.metric}${s.labels !== undefined ? ` ${s.labels.version}` : ""}`.slice(0, 34).padEnd(34)} ${top.toPrecision(3).padStart(8)} ${line}`,
  );
}
