import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Listener } from "../../../../evals/sandbox/listener.ts";
import { startZipkin } from "../../../../evals/sandbox/zipkin/collector.ts";
import { createHttp, type Http, path } from "../../../../mcp-tools/connectors/http.ts";
import { callsOf, spansOf, type ZipkinSpan } from "../../../../mcp-tools/connectors/zipkin/spans.ts";
import { createZipkin, type ZipkinSource } from "../../../../mcp-tools/connectors/zipkin/zipkin.ts";

const NOW = Date.now();
const never = new AbortController().signal;
const clock = { now: () => NOW };

let next = 0;
/** A span of `service`, `agoMs` ago. */
function span(service: string, more: Partial<ZipkinSpan> & { readonly agoMs?: number } = {}): ZipkinSpan {
  next += 1;
  const { agoMs = 1000, ...rest } = more;
  return {
    traceId: "00000000000000aa",
    id: next.toString(16).padStart(16, "0"),
    kind: "SERVER",
    name: "get /",
    timestamp: (NOW - agoMs) * 1000,
    duration: 2000,
    localEndpoint: { serviceName: service },
    tags: {},
    ...rest,
  };
}

describe("spansOf", () => {
  it("tells requests of one user from those of others, and says nothing of who they are", () => {
    const of = (tags: Readonly<Record<string, string>>) => spansOf([span("Shop", { tags })])[0]?.user;
    expect(of({ "user.id": "ann@example.com" })).toMatch(/^[0-9a-f]{16}$/);
    expect(of({ "enduser.id": "ann@example.com" })).toBe(of({ "user.id": "ann@example.com" }));
    expect(of({ "user.id": "bob@example.com" })).not.toBe(of({ "user.id": "ann@example.com" }));
    expect(of({ "user.id": "" })).toBeUndefined();
  });

  it("maps a span, its version and its error", () => {
    const one = span("Shop", { tags: { error: "", "service.version": "2.1" } });
    expect(spansOf([one])).toEqual([
      {
        traceId: one.traceId,
        spanId: one.id,
        service: "Shop",
        name: "get /",
        startUs: one.timestamp,
        durationUs: 2000,
        error: true,
        version: "2.1",
      },
    ]);
  });

  it("gives a call between two spans one edge", () => {
    const client = span("web", { kind: "CLIENT", remoteEndpoint: { serviceName: "shop" } });
    const server = span("shop", { parentId: client.id });
    expect(callsOf(spansOf([client, server]))).toEqual([["web", "shop"]]);
  });

  it("gives a call whose halves share an id one edge, and hangs what the server called below the server", () => {
    const client = span("web", { kind: "CLIENT", remoteEndpoint: { serviceName: "shop" } });
    const server = span("shop", { id: client.id, shared: true });
    const onward = span("shop", { kind: "CLIENT", parentId: client.id, remoteEndpoint: { serviceName: "bank" } });
    const spans = spansOf([client, server, onward]);
    expect(callsOf(spans)).toEqual([
      ["web", "shop"],
      ["shop", "bank"],
    ]);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(3);
    expect(spans[2]?.parentId).toBe(spans[1]?.spanId);
    expect(spans[1]?.parentId).toBe(spans[0]?.spanId);
  });

  it("names a callee that reports nothing, and only such a one", () => {
    const silent = span("shop", { kind: "CLIENT", remoteEndpoint: { serviceName: "bank" } });
    const answered = span("shop", { kind: "CLIENT", remoteEndpoint: { serviceName: "cart" } });
    const [a, b] = spansOf([silent, answered, span("cart", { parentId: answered.id })]);
    expect([a?.callee, b?.callee]).toEqual(["bank", undefined]);
  });

  it.each([
    ["no time", { timestamp: undefined }],
    ["no service", { localEndpoint: {} }],
  ])("leaves out a span with %s", (_, without) => {
    expect(spansOf([{ ...span("x"), ...without }])).toEqual([]);
  });
});

describe("zipkin", () => {
  let server: Listener;
  let http: Http;
  let zipkin: ZipkinSource;

  beforeAll(async () => {
    server = await startZipkin();
    http = createHttp({ source: "zipkin", base: new URL(server.url) });
    zipkin = createZipkin({ http, clock });
  });
  afterAll(async () => {
    await http?.close();
    await server?.close();
  });

  async function report(spans: readonly ZipkinSpan[]) {
    await http.send("POST", path`/api/v2/spans`, spans, "application/json", z.unknown(), never);
  }
  /** One of its own, with a clock that can be set. */
  async function opened() {
    const ownServer = await startZipkin();
    const ownHttp = createHttp({ source: "zipkin", base: new URL(ownServer.url) });
    let now = NOW;
    return {
      server: ownServer,
      zipkin: createZipkin({ http: ownHttp, clock: { now: () => now } }),
      at: (time: number) => {
        now = time;
      },
      report: (spans: readonly ZipkinSpan[]) =>
        ownHttp.send("POST", path`/api/v2/spans`, spans, "application/json", z.unknown(), never),
      async [Symbol.asyncDispose]() {
        await ownHttp.close();
        await ownServer.close().catch(() => undefined);
      },
    };
  }
  const trace = (number: number) => ({ traceId: number.toString(16).padStart(16, "f") });
  const minute = { from: NOW - 60_000, to: NOW };

  it("has neither spans nor topology before anything was reported", async () => {
    expect(await zipkin.spans({ window: minute, limit: 10 }, never)).toEqual({ spans: [], more: false });
    expect(await zipkin.topology(never)).toEqual({ edges: [], external: [], details: [], reporting: [] });
  });

  it("finds failed calls among many good ones, with the spans that called them, first", async () => {
    const client = span("web", { ...trace(1), kind: "CLIENT", remoteEndpoint: { serviceName: "shop" }, agoMs: 30_000 });
    const failed = span("shop", { ...trace(1), parentId: client.id, tags: { error: "boom" }, agoMs: 29_000 });
    const bank = span("shop", {
      ...trace(1),
      kind: "CLIENT",
      parentId: failed.id,
      remoteEndpoint: { serviceName: "bank" },
      agoMs: 29_000,
    });
    const good = Array.from({ length: 40 }, (_, i) => span("cart", { ...trace(100 + i), agoMs: 10_000 + i }));
    const older = span("shop", { ...trace(2), tags: { error: "old" }, agoMs: 200_000 });
    await report([client, failed, bank, ...good, older]);

    const { spans, more } = await zipkin.spans({ window: minute, limit: 5 }, never);
    expect(spans.slice(0, 2).map(({ spanId }) => spanId)).toEqual([failed.id, client.id]);
    expect(spans.length).toBe(5);
    expect(more).toBe(true);

    const errors = await zipkin.spans({ window: minute, errorsOnly: true, limit: 10 }, never);
    expect(errors).toMatchObject({ more: false, spans: [{ spanId: failed.id, error: true }, { spanId: client.id }] });

    const ofShop = await zipkin.spans({ window: minute, services: ["shop"], limit: 10 }, never);
    expect(ofShop.spans.map(({ service }) => service)).toEqual(["shop", "web", "shop"]);
    expect((await zipkin.spans({ window: minute, services: ["nobody"], limit: 10 }, never)).spans).toEqual([]);
  });

  it("knows who calls whom, once each, and who is outside", async () => {
    const seen = { source: "spans", confidence: 2 / 3, traffic: { perSecond: 1 / 3600, at: NOW } };
    expect(await zipkin.topology(never)).toEqual({
      edges: [
        ["shop", "bank"],
        ["web", "shop"],
      ],
      external: ["bank"],
      details: [
        { caller: "shop", callee: "bank", ...seen },
        { caller: "web", callee: "shop", ...seen },
      ],
      reporting: ["cart", "shop", "web"],
    });
    expect(await zipkin.ping(never)).toMatchObject({ services: 3 });
  });

  it("keeps what it learned, and lets go of it after a week", async () => {
    await using own = await opened();
    const calls = (from: string, to: string, ago: number, id: number) => {
      const client = span(from, { ...trace(id), kind: "CLIENT", agoMs: ago });
      return [client, span(to, { ...trace(id), parentId: client.id, agoMs: ago })];
    };
    await own.report([...calls("web", "shop", 60_000, 901), ...calls("shop", "mail", 5 * 3_600_000, 902)]);
    const first = await own.zipkin.topology(never);
    expect(first.details).toEqual([
      { caller: "shop", callee: "mail", source: "spans", confidence: 2 / 3 },
      { caller: "web", callee: "shop", source: "spans", confidence: 2 / 3, traffic: { perSecond: 1 / 3600, at: NOW } },
    ]);
    own.at(NOW + 20 * 3_600_000);
    expect(await own.zipkin.topology(never)).toEqual(first);
    own.at(NOW + 8 * 86_400_000);
    expect(await own.zipkin.topology(never)).toMatchObject({ edges: [] });
  });

  it("knows what it learned while Zipkin is down, and says that it is", async () => {
    await using own = await opened();
    const client = span("web", { ...trace(903), kind: "CLIENT" });
    await own.report([client, span("shop", { ...trace(903), parentId: client.id })]);
    const first = await own.zipkin.topology(never);
    expect(first.edges).toEqual([["web", "shop"]]);
    expect(own.zipkin.lacks()).toEqual([]);
    await own.server.close();
    own.at(NOW + 3_600_000);
    expect(await own.zipkin.topology(never)).toEqual(first);
    expect(own.zipkin.lacks()).toMatchObject([{ source: "zipkin", what: "topology" }]);
  });

  it("refuses a limit of none", async () => {
    await expect(zipkin.spans({ window: minute, limit: 0 }, never)).rejects.toMatchObject({ code: "input.invalid" });
  });

  it("is down when Zipkin is", async () => {
    const gone = createHttp({ source: "zipkin", base: new URL("http://127.0.0.1:1") });
    await expect(createZipkin({ http: gone, clock }).topology(never)).rejects.toMatchObject({
      code: "source.unavailable",
    });
    await gone.close();
  });
});
