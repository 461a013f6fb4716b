import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { readConfig } from "../../../agent/compose/config-file.ts";
import { replayConfig } from "../../../core/config/defaults.ts";
import { UnshipError } from "../../../core/errors.ts";
import type { Topology } from "../../../core/model/evidence.ts";
import type { Sources } from "../../../core/ports.ts";
import { backtestCommand } from "../../../evals/lab/backtest-command.ts";
import { recordCommand } from "../../../evals/lab/record-command.ts";
import { readBundle } from "../../../evals/replay/bundle.ts";
import { bundleSources } from "../../../evals/replay/bundle-sources.ts";
import { replayBundle } from "../../../evals/replay/replay.ts";
import { pastComposition } from "../lab/past-composition.ts";
import { START, temporaryFolder, time, writeSmallBundle } from "../replay/small-bundle.ts";

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MINUTE = 60_000;
const [FROM, TO, NOW] = [START, START + 20 * MINUTE, START + 60 * MINUTE];
const abort = new AbortController().signal;
const SECRETS = [
  "hunter2hunter2",
  "ghp_0123456789abcdef0123456789abcdef0123",
  "s3cr3t-of-the-shop",
  "AKIAIOSFODNN7EXAMPLE",
];

/** A live shop that broke, with secrets wherever text comes in from outside. */
const live = writeSmallBundle(folder, { id: "live", brokenAt: 8.25 });
const jsonl = (...items: readonly object[]) => items.map((item) => JSON.stringify(item)).join("\n");
writeFileSync(
  join(live, "logs.jsonl"),
  jsonl(
    ...Array.from({ length: 30 }, (_, i) => ({
      at: time(8.5 + i / 10),
      service: "cart",
      level: "error",
      message: `no price ${i}`,
      version: "v2",
    })),
    { at: time(9), service: "cart", level: "warn", message: `login failed, password=${SECRETS[0]}` },
    { at: time(9.5), service: "web", level: "info", message: `Authorization: Bearer ${SECRETS[1]}` },
  ),
);
writeFileSync(
  join(live, "spans.jsonl"),
  jsonl({
    trace_id: "t",
    span_id: "s",
    service: "web",
    name: `GET /?token=${SECRETS[2]}`,
    start: (START + 9 * MINUTE) * 1000,
    duration: 5000,
    error: true,
  }),
);
writeFileSync(
  join(live, "alerts.jsonl"),
  jsonl({
    fingerprint: "f",
    status: "firing",
    labels: { alertname: "Errors", api_key: SECRETS[2] },
    annotations: { note: `key ${SECRETS[3]}` },
    startsAt: time(9),
  }),
);
const bundle = readBundle(live);
const config = replayConfig(
  readConfig(join(import.meta.dirname, "../../../examples/openclaw-agent-config.yaml"), {}, { secrets: "unused" }),
);
const sources = (): Sources => bundleSources(bundle, { now: () => NOW }, new Map());
let recordings = 0;

async function record(from: Sources, options: { readonly output?: string; readonly to?: number } = {}) {
  recordings += 1;
  const { composition, printed } = pastComposition(config, from, NOW);
  const output = options.output ?? join(folder, "out", `recorded-${recordings}`);
  const done = recordCommand(composition, { config: "c", from: FROM, to: options.to ?? TO, output, json: true }, abort);
  return { output, printed, code: await done };
}

/** Every byte of a bundle as text. */
const allText = (directory: string) =>
  readdirSync(directory)
    .map((name) => readFileSync(join(directory, name)))
    .map((bytes) => (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString())
    .join("\n");

describe("record", () => {
  it("what was recorded replays as what really was", async () => {
    const { output, printed, code } = await record(sources());
    expect(code).toBe(0);
    expect(JSON.parse(printed.out)).toMatchObject({ services: 2, changes: 1, logs: 32, spans: 1, alerts: 1, gaps: [] });
    expect(printed.closed).toBe(1);
    const again = await replayBundle(output, { version: "test" }, abort);
    const original = await replayBundle(live, { version: "test" }, abort);
    expect(original.episodes).toMatchObject([{ action: "rollback", culprit: { change_id: "deploy-cart-2" } }]);
    expect(again.episodes).toEqual(original.episodes);
    const read = readBundle(output);
    expect(read.changes).toEqual(bundle.changes);
    expect(read.topology).toEqual(bundle.topology);
    expect(read.incident.watch).toEqual({ start: FROM, end: TO });
  });

  it("where edges are known from, and the traffic measured over them, is read back as it was recorded", async () => {
    const known = { caller: "web", callee: "cart", confidence: 0.99 };
    const traffic = { perSecond: 12.5, at: FROM + 1500 };
    const mesh: Topology = {
      edges: [["web", "cart"]],
      external: [],
      details: [{ ...known, source: "mesh", traffic }],
      reporting: ["web"],
    };
    const template: Topology = {
      edges: [["cart", "stock"]],
      external: [],
      details: [{ caller: "cart", callee: "stock", confidence: 0.6, source: "template" }],
    };
    const both = [mesh, template].map((graph, i) => ({ name: `graph ${i}`, topology: async () => graph }));
    const { output } = await record({ ...sources(), topology: both });
    expect(readBundle(output).topology).toEqual({
      edges: [...mesh.edges, ...template.edges],
      external: [],
      details: [...(mesh.details ?? []), ...(template.details ?? [])],
      reporting: ["web"],
    });
  });

  it("no secret of any text is in it", async () => {
    const { output } = await record(sources());
    const text = allText(output);
    expect(allText(live)).toContain(SECRETS[0]);
    expect(SECRETS.filter((secret) => text.includes(secret))).toEqual([]);
    expect(text).toContain("[redacted");
  });

  it("a source that is down is a gap, said at the end, in the bundle, and unknown in the replay", async () => {
    const down = {
      name: "cluster",
      changes: async () => Promise.reject(new UnshipError("source.unavailable", { source: "cluster" })),
    };
    const { output, printed } = await record({ ...sources(), changes: [down] });
    const gap = { source: "cluster", what: "changes" };
    expect(JSON.parse(printed.out)).toMatchObject({ changes: 0, gaps: [gap] });
    expect(readBundle(output).gaps).toMatchObject([gap]);
    const { episodes } = await replayBundle(output, { version: "test" }, abort);
    expect(episodes.map(({ action }) => action)).toEqual(["no_action"]);
  });

  it("more lines than one answer holds are all read", async () => {
    const line = (at: number, i: number) => ({ at, service: "cart", level: "info", message: `line ${i}` }) as const;
    const all = Array.from({ length: 5_000 }, (_, i) => line(FROM + i * 200, i));
    const search: Sources["logs"][number]["search"] = async ({ window, limit }) => {
      const found = all.filter(({ at }) => at >= window.from && at <= window.to).toReversed();
      return { lines: found.slice(0, limit), more: found.length > limit };
    };
    const { output } = await record({ ...sources(), logs: [{ name: "many", search }] });
    expect(readBundle(output).logs).toEqual(all);
  });

  it("without any sample there is no recording, and nothing is left behind", async () => {
    const silent = {
      name: "prometheus",
      metrics: () => ["error_rate"],
      range: async () => Promise.reject(new UnshipError("source.unavailable", { source: "prometheus" })),
    };
    const output = join(folder, "nothing", "x");
    await expect(record({ ...sources(), metrics: [silent] }, { output })).rejects.toMatchObject({
      code: "source.unavailable",
    });
    expect(existsSync(join(folder, "nothing"))).toBe(false);
  });

  it("a bundle that cannot be written whole is not written at all", async () => {
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    const broken = {
      name: "alerts",
      alerts: async () => [
        { ...cyclic, fingerprint: "f", status: "firing", labels: {}, annotations: {}, startsAt: FROM, count: 1n },
      ],
    };
    const output = join(folder, "half", "x");
    await expect(record({ ...sources(), alerts: [broken as never] }, { output })).rejects.toThrow();
    expect(existsSync(join(folder, "half")) ? readdirSync(join(folder, "half")) : []).toEqual([]);
  });

  it.each<[string, { readonly output?: string; readonly to?: number }, RegExp]>([
    ["a folder that holds something is left alone", { output: live }, /exists already; name a new folder/],
    ["an end before its start is refused", { to: FROM - 1 }, /is not before/],
    ["a future that nobody knows is refused", { to: NOW + 1 }, /lies ahead/],
  ])("%s", async (_, options, message) => {
    await expect(record(sources(), options)).rejects.toThrow(message);
  });

  it("an empty folder is taken", async () => {
    const output = join(folder, "empty");
    mkdirSync(output);
    await record(sources(), { output });
    expect(readBundle(output).incident.id).toBe("empty");
  });
});

describe("backtest", () => {
  async function backtest(from: Sources, options: Record<string, unknown> = {}) {
    const { composition, printed } = pastComposition(config, from, NOW);
    const code = await backtestCommand(composition, { config: "unship.yaml", from: FROM, to: TO, ...options }, abort);
    return { printed, code };
  }

  it("says what today's policy would have done, when, and what the gate says of it", async () => {
    const { printed, code } = await backtest(sources());
    expect(code).toBe(0);
    expect(printed.out).toContain("rollback of deploy-cart-2");
    expect(printed.out).toMatch(/would have (executed it at 2026-01-01T10:\d\d|asked a person)/);
    expect(printed.out).toContain("Nothing was executed.");
    expect([printed.files.size, printed.closed]).toEqual([0, 1]);
  });

  it("as JSON it is the episodes of a replay, with the gaps", async () => {
    const { printed } = await backtest(sources(), { json: true });
    const value = JSON.parse(printed.out);
    expect(value).toMatchObject({
      mode: "auto",
      gaps: [],
      episodes: [{ action: "rollback", targets: ["deploy-cart-2"] }],
    });
    expect(value.samples).toBeGreaterThan(0);
  });

  it("comes to the same as a recording that is replayed, whatever else the live source says of a change", async () => {
    const workload = { kind: "Deployment", namespace: "production", name: "cart" };
    const more = bundle.changes.map((change) => ({ ...change, workload, fromRevision: "6", toRevision: "7" }));
    const { printed } = await backtest(
      { ...sources(), changes: [{ name: "cluster", changes: async () => more }] },
      { json: true },
    );
    expect(JSON.parse(printed.out).episodes).toEqual((await replayBundle(live, { version: "test" }, abort)).episodes);
  });

  it("holds what brought a change, an object that many read included, and what was done to the ground", async () => {
    const map = { kind: "ConfigMap", namespace: "shop", name: "shared-env" };
    const by = { kind: "Application", namespace: "argocd", name: "root" };
    const more = bundle.changes.map((change) => ({ ...change, workload: map, releasedBy: [by] }));
    const drain = {
      id: "drain-1",
      kind: "infrastructure" as const,
      place: "node worker-3",
      from: "",
      to: "drained",
      startedAt: FROM + MINUTE,
      finishedAt: FROM + 3 * MINUTE,
      source: "cluster",
    };
    const { output } = await record({
      ...sources(),
      changes: [{ name: "cluster", changes: async () => more }],
      infrastructure: [{ name: "cluster", infrastructure: async () => [drain] }],
    });
    const read = readBundle(output);
    expect(read.infrastructure).toEqual([drain]);
    expect(read.changes).toMatchObject(more.map(({ id }) => ({ id, releasedBy: [by, map] })));
  });

  it("in observe mode the gate refuses", async () => {
    const { printed } = await backtest(sources(), { mode: "observe" });
    expect(printed.out).toContain("the gate would have refused");
  });
});
