// Shows a bundle as text, for people who want to see that it looks like production: the truth, the changes around the
// watch, and for each service a line of blocks for each metric over the watch (`node look.ts BUNDLE [SERVICE…]`).
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

type Row = {
  service: string;
  metric: string;
  labels?: Record<string, string>;
  start: number;
  step: number;
  values: (number | null)[];
};

export function lines<T>(dir: string, name: string): T[] {
  const plain = join(dir, name);
  const text = existsSync(plain)
    ? readFileSync(plain, "utf8")
    : existsSync(`${plain}.gz`)
      ? gunzipSync(readFileSync(`${plain}.gz`)).toString("utf8")
      : "";
  return text
    .split("\n")
    .filter((l) => l !== "")
    .map((l) => JSON.parse(l) as T);
}

function blocks(values: (number | null)[], width: number): { bar: string; lo: number; hi: number } {
  const size = Math.max(1, Math.ceil(values.length / width));
  const cells: (number | null)[] = [];
  for (let i = 0; i < values.length; i += size) {
    const xs = values.slice(i, i + size).filter((v): v is number => v !== null);
    cells.push(xs.length === 0 ? null : xs.reduce((a, b) => a + b, 0) / xs.length);
  }
  const known = cells.filter((v): v is number => v !== null);
  const lo = Math.min(...known);
  const hi = Math.max(...known);
  const bar = cells
    .map((v) => (v === null ? "·" : "▁▂▃▄▅▆▇█"[hi > lo ? Math.min(7, Math.floor((8 * (v - lo)) / (hi - lo))) : 0]))
    .join("");
  return { bar, lo, hi };
}

const [dir, ...only] = process.argv.slice(2);
if (dir) {
  const truth = JSON.parse(readFileSync(join(dir, "truth.json"), "utf8"));
  const incident = JSON.parse(readFileSync(join(dir, "incident.json"), "utf8"));
  const start = Date.parse(incident.watch.start) / 1000;
  const end = Date.parse(incident.watch.end) / 1000;
  console.log(
    truth.family,
    truth.action,
    truth.targets.join(" "),
    `onset ${truth.onset ? ((Date.parse(truth.onset) / 1000 - start) / 60).toFixed(1) : "-"} min of ${((end - start) / 60).toFixed(0)}; ${truth.why}`,
  );
  for (const c of lines<Record<string, string>>(dir, "changes.jsonl")) {
    const at = (Date.parse(c.started_at as string) / 1000 - start) / 60;
    if (at > -120)
      console.log(
        `  ${at.toFixed(1).padStart(7)} min +${((Date.parse(c.finished_at as string) - Date.parse(c.started_at as string)) / 1000).toFixed(0)}s  ${c.kind} ${c.service} ${c.from} -> ${c.to} ${c.id}${c.requires ? ` requires ${JSON.stringify(c.requires)}` : ""}`,
      );
  }
  const rows = lines<Row>(dir, "series.jsonl").sort((a, b) =>
    a.service + a.metric + JSON.stringify(a.labels ?? "") < b.service + b.metric + JSON.stringify(b.labels ?? "")
      ? -1
      : 1,
  );
  for (const r of rows) {
    if (r.step > 60 || (only.length > 0 && !only.includes(r.service))) continue;
    const from = Math.max(0, Math.ceil((start - 600 - r.start) / r.step));
    const values = r.values.slice(from);
    if (values.length === 0) continue;
    const offset = Math.max(0, Math.round((60 * (r.start + from * r.step - start + 600)) / (end - start + 600)));
    const b = blocks(values, Math.max(1, Math.round((60 * values.length * r.step) / (end - start + 600))));
    console.log(
      `${r.service.slice(0, 16).padEnd(16)} ${r.metric.slice(0, 16).padEnd(16)} ${" ".repeat(offset)}${b.bar.padEnd(62 - offset)} ${Number(b.lo.toPrecision(3))}..${Number(b.hi.toPrecision(3))} ${r.labels ? JSON.stringify(r.labels) : ""}`,
    );
  }
}
