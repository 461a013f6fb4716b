import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { withDeadlines, within } from "../../../agent/compose/deadlines.ts";
import { createObserving, type Observer } from "../../../agent/compose/observers.ts";
import { createSilences } from "../../../agent/compose/silences.ts";
import type { Gap } from "../../../core/model/assessment.ts";
import type { Sources } from "../../../core/ports.ts";
import { createHttp } from "../../../mcp-tools/connectors/http.ts";
import { createZipkin } from "../../../mcp-tools/connectors/zipkin/zipkin.ts";

const never = new AbortController().signal;
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function serving(answer: RequestListener): Promise<URL> {
  const server = createServer(answer);
  await once(server.listen(0, "127.0.0.1"), "listening");
  stops.push(() => {
    server.closeAllConnections();
    return new Promise((done) => server.close(done));
  });
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const gap = (what: string, more: Partial<Gap> = {}): Gap => ({
  of: "targets",
  how: "unanswered",
  source: "scrape",
  what,
  because: "b",
  ...more,
});

describe("since when nothing is heard", () => {
  it.each<[string, readonly (readonly Gap[])[], readonly (readonly [string, number])[]]>([
    ["a gap stands since it was first seen", [[], [gap("a")], [gap("a")]], [["a", 1]]],
    ["also when its reason changes meanwhile", [[gap("a")], [gap("a", { because: "c" })]], [["a", 0]]],
    ["a gap that was over begins anew", [[gap("a")], [], [gap("a")]], [["a", 2]]],
    ["a source that knows better is believed", [[], [gap("a", { since: 0 })]], [["a", 0]]],
    ["two that say the same are one", [[gap("a"), gap("a", { because: "c" })]], [["a", 0]]],
    [
      "each has its own beginning",
      [[gap("a")], [gap("b"), gap("a")]],
      [
        ["b", 1],
        ["a", 0],
      ],
    ],
  ])("%s", (_name, moments, expected) => {
    const silences = createSilences();
    const last = moments.map((gaps, at) => silences(gaps, at)).at(-1) ?? [];
    expect(last.map(({ what, since }) => [what, since])).toEqual(expected);
  });
});

describe("observers", () => {
  const observer = (name: string, look: Observer["look"]): Observer => ({ name, of: "pods", what: "pods", look });

  it("one that fails or hangs leaves a gap, keeps no other waiting for longer, and none once it answers", async () => {
    let mood: "fails" | "hangs" | "fine" = "fails";
    let started = 0;
    let release = () => {};
    const moody = observer("kubernetes", () => {
      started += 1;
      if (mood === "fails") return Promise.reject(new Error("token abc is wrong"));
      if (mood === "fine") return Promise.resolve([]);
      return new Promise((resolve) => {
        release = () => resolve([]);
      });
    });
    const observing = createObserving([moody, observer("scrape", async () => [gap("spool")])], 20);
    await observing.observe(1, never);
    expect(observing.gaps()).toEqual([
      {
        ...{ of: "pods", how: "unanswered", source: "kubernetes", what: "pods" },
        because: "kubernetes gave no usable answer",
      },
      gap("spool"),
    ]);
    mood = "hangs";
    await observing.observe(2, never);
    await observing.observe(3, never);
    expect(started).toBe(2); // not a second time beside itself
    expect(observing.gaps()[0]?.because).toMatch(/^kubernetes has not answered since 1970-01-01/);
    mood = "fine";
    release();
    await observing.observe(4, never);
    await observing.observe(5, never);
    expect(observing.gaps()).toEqual([gap("spool")]);
  });

  it("a look that is told to stop leaves what was known", async () => {
    const stop = new AbortController();
    const observing = createObserving([observer("scrape", async () => [gap("spool")])], 20);
    await observing.observe(1, never);
    stop.abort();
    await observing.observe(2, stop.signal);
    expect(observing.gaps()).toEqual([gap("spool")]);
  });
});

describe("deadlines", () => {
  it("a source that takes the question and never answers is slow by name, and the next answer counts again", async () => {
    let hangs = true;
    const base = await serving((_, response) => {
      if (hangs) return;
      response.writeHead(200, { "content-type": "application/json" });
      response.end("[]");
    });
    const http = createHttp({ source: "zipkin", base });
    stops.push(() => http.close());
    const zipkin = createZipkin({ http, clock: { now: () => 1 } });
    const empty = { metrics: [], changes: [], logs: [], flags: [], rollouts: [], alerts: [] };
    const sources: Sources = { ...empty, traces: [zipkin], topology: [zipkin] };
    const { traces, topology } = withDeadlines(sources, 50);
    const query = { window: { from: 0, to: 1 }, limit: 1 };
    const message = "zipkin did not answer within 0.05 s; what it would say is unknown.";
    await expect(traces[0]?.spans(query, never)).rejects.toMatchObject({ code: "source.slow", message });
    await expect(topology[0]?.topology(never)).rejects.toMatchObject({ code: "source.slow" });
    hangs = false;
    expect(await withDeadlines(sources, 60_000).traces[0]?.spans(query, never)).toEqual({ spans: [], more: false });
  });

  it("every method of every kind of source has one, also where the source does not heed its signal", async () => {
    const hang = () => new Promise<never>(() => {});
    const named = { name: "deaf", metrics: () => ["error_rate"] };
    const deaf: Sources = {
      metrics: [{ ...named, range: hang }],
      changes: [{ ...named, changes: hang }],
      logs: [{ ...named, search: hang }],
      traces: [{ ...named, spans: hang }],
      topology: [{ ...named, topology: hang }],
      flags: [{ ...named, flags: hang }],
      rollouts: [{ ...named, rollouts: hang }],
      alerts: [{ ...named, alerts: hang }],
    };
    const bounded = withDeadlines(deaf, 5);
    const window = { from: 0, to: 1 };
    const asks = [
      bounded.metrics[0]?.range({ metric: "error_rate", window, stepMs: 1, purpose: "policy" }, never),
      bounded.changes[0]?.changes(window, never),
      bounded.logs[0]?.search({ window, limit: 1 }, never),
      bounded.traces[0]?.spans({ window, limit: 1 }, never),
      bounded.topology[0]?.topology(never),
      bounded.flags[0]?.flags(never),
      bounded.rollouts[0]?.rollouts(never),
      bounded.alerts[0]?.alerts(window, never),
    ];
    for (const answer of await Promise.allSettled(asks))
      expect(answer).toMatchObject({ status: "rejected", reason: { code: "source.slow" } });
    expect(bounded.metrics[0]?.metrics()).toEqual(["error_rate"]);
    expect(Object.keys(bounded).sort()).toEqual(Object.keys(deaf).sort());
  });

  it("who stops the look gets their own reason, at once; an error of the source stays what it is", async () => {
    const stop = new AbortController();
    const asked = within("s", 60_000, stop.signal, () => new Promise(() => {}));
    stop.abort(new Error("the watch ends"));
    await expect(asked).rejects.toThrow("the watch ends");
    await expect(within("s", 60_000, never, () => Promise.reject(new Error("refused")))).rejects.toThrow("refused");
  });
});
