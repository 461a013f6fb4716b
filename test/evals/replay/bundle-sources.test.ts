import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readBundle } from "../../../evals/replay/bundle.ts";
import { bundleSources } from "../../../evals/replay/bundle-sources.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
const MINUTE = 60_000;
const END = START + 60 * MINUTE;
const time = (minutes: number) => new Date(START + minutes * MINUTE).toISOString();
const lines = (...objects: readonly object[]) => objects.map((one) => JSON.stringify(one)).join("\n");
const change = (id: string, kind: string, from: number, to: number) => ({
  id,
  kind,
  service: "cart",
  from: kind === "flag" ? "off" : "1",
  to: kind === "flag" ? "on" : "2",
  started_at: time(from),
  finished_at: time(to),
  source: "hand",
  reversible: true,
  ...(kind === "flag" ? { flag: id } : {}),
});
const EVERY_MINUTE = Array.from({ length: 60 }, (_, minute) => minute);

/** Something of every kind in every minute of an hour, and something that lasts from each minute into the future. */
const FILES = {
  "incident.json": JSON.stringify({
    schema: 1,
    id: "x",
    title: "x",
    watch: { start: time(0), end: time(60) },
    services: [{ name: "cart", namespace: "production", criticality: "high" }],
  }),
  "topology.json": JSON.stringify({ edges: [["web", "cart"]] }),
  "series.jsonl": lines({
    service: "cart",
    metric: "error_rate",
    unit: "ratio",
    start: START / 1000,
    step: 60,
    values: EVERY_MINUTE.map((minute) => minute / 100),
  }),
  "changes.jsonl": lines(
    ...EVERY_MINUTE.map((minute) => change(`deploy-${minute}`, "deploy", minute, minute + 3)),
    ...EVERY_MINUTE.map((minute) => change(`flag-${minute}`, "flag", minute, minute)),
  ),
  "logs.jsonl": lines(
    ...EVERY_MINUTE.map((minute) => ({ at: time(minute), service: "cart", level: "error", message: "no" })),
  ),
  "spans.jsonl": lines(
    ...EVERY_MINUTE.map((minute) => ({
      trace_id: "t",
      span_id: `s${minute}`,
      service: "cart",
      name: "GET",
      start: (START + minute * MINUTE) * 1000,
      duration: 3 * MINUTE * 1000,
      error: false,
    })),
  ),
  "alerts.jsonl": lines(
    ...EVERY_MINUTE.map((minute) => ({
      fingerprint: String(minute),
      status: "resolved",
      labels: {},
      annotations: {},
      startsAt: time(minute),
      endsAt: time(minute + 10),
    })),
  ),
};

function openHour() {
  const directory = mkdtempSync(join(tmpdir(), "unship-hour-"));
  for (const [name, body] of Object.entries(FILES)) writeFileSync(join(directory, name), body);
  return readBundle(directory);
}

const bundle = openHour();
const abort = new AbortController().signal;
const window = { from: 0, to: END + 60 * MINUTE };

/** What each of the eight sources says at `now`, asked for all of time. */
async function seenAt(now: number) {
  const sources = bundleSources(bundle, { now: () => now }, new Map());
  const first = async <T>(source: T | undefined, ask: (source: T) => Promise<unknown>) =>
    source === undefined ? expect.fail("there is no such source") : ask(source);
  return {
    metrics: await first(sources.metrics[0], (one) =>
      one.range({ metric: "error_rate", window, stepMs: MINUTE, purpose: "statistics" }, abort),
    ),
    changes: await first(sources.changes[0], (one) => one.changes(window, abort)),
    logs: await first(sources.logs[0], async (one) => (await one.search({ window, limit: 1000 }, abort)).lines),
    traces: await first(sources.traces[0], async (one) => (await one.spans({ window, limit: 1000 }, abort)).spans),
    topology: await first(sources.topology[0], (one) => one.topology(abort)),
    flags: await first(sources.flags[0], (one) => one.flags(abort)),
    rollouts: await first(sources.rollouts[0], (one) => one.rollouts(abort)),
    alerts: await first(sources.alerts[0], (one) => one.alerts(window, abort)),
  };
}

/** Every moment in an answer, in Unix ms: whatever is named as one, and the ends of what has a length. */
function moments(value: unknown): readonly number[] {
  if (Array.isArray(value)) return value.flatMap(moments);
  if (typeof value !== "object" || value === null) return [];
  const { startUs, durationUs, startAt, stepMs, values } = value as Record<string, unknown>;
  const ends = [
    ...(typeof startUs === "number" && typeof durationUs === "number" ? [(startUs + durationUs) / 1000] : []),
    ...(typeof startAt === "number" && typeof stepMs === "number" && Array.isArray(values)
      ? [startAt + (values.length - 1) * stepMs]
      : []),
  ];
  const named = Object.entries(value).flatMap(([key, field]) =>
    typeof field === "number" && /^at$|At$/.test(key) ? [field] : moments(field),
  );
  return [...ends, ...named];
}

const KINDS = ["metrics", "changes", "logs", "traces", "topology", "flags", "rollouts", "alerts"] as const;

describe("bundleSources: nothing later than now", () => {
  it.each(KINDS)("%s", async (kind) => {
    for (const now of [START + 5 * MINUTE, START + 30 * MINUTE + 1, END - 1]) {
      const found = moments((await seenAt(now))[kind]);
      expect(found.filter((at) => at > now)).toEqual([]);
      // The call graph is the one thing without a time; all else must have said something, or nothing is proved.
      expect(found.length > 0).toBe(kind !== "topology");
    }
  });

  it("all eight sources stand", async () => {
    expect(Object.keys(await seenAt(END)).toSorted()).toEqual([...KINDS].toSorted());
    expect((await seenAt(END)).topology).toEqual({ edges: [["web", "cart"]], external: [] });
  });

  it("an alert that ends later still fires, without an end; one that has ended is resolved", async () => {
    const { alerts } = await seenAt(START + 15 * MINUTE);
    expect(alerts).toContainEqual(expect.objectContaining({ fingerprint: "5", status: "resolved" }));
    expect(alerts).toContainEqual(expect.objectContaining({ fingerprint: "6", status: "firing" }));
    expect(JSON.stringify(alerts)).not.toContain(String(START + 16 * MINUTE));
  });

  it("a deploy under way has no end yet, and its rollout is progressing", async () => {
    const { changes, rollouts } = await seenAt(START + 30 * MINUTE);
    expect(changes).toContainEqual(expect.objectContaining({ id: "deploy-28", finishedAt: null }));
    expect(changes).toContainEqual(expect.objectContaining({ id: "deploy-27", finishedAt: START + 30 * MINUTE }));
    expect(rollouts).toMatchObject([{ status: "progressing" }]);
  });
});
