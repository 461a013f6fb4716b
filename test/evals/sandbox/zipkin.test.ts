import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Listener } from "../../../evals/sandbox/listener.ts";
import type { ZipkinSpan } from "../../../evals/sandbox/service/spans.ts";
import { startZipkin } from "../../../evals/sandbox/zipkin/collector.ts";

const T = 1_700_000_000_000; // ms
const id = (n: number) => n.toString(16).padStart(16, "0");

function span(trace: number, n: number, parent: number | undefined, rest: Partial<ZipkinSpan>): ZipkinSpan {
  return {
    traceId: id(trace),
    id: id(n),
    ...(parent !== undefined && { parentId: id(parent) }),
    name: "get /",
    kind: "SERVER",
    timestamp: (T + trace * 1000) * 1000,
    duration: 1000 * n,
    localEndpoint: { serviceName: "web" },
    tags: {},
    ...rest,
  };
}

const web = { localEndpoint: { serviceName: "web" } };
const cart = { localEndpoint: { serviceName: "cart" } };
const TRACES: readonly (readonly ZipkinSpan[])[] = [
  [
    span(1, 1, undefined, web),
    span(1, 2, 1, { ...web, kind: "CLIENT", remoteEndpoint: { serviceName: "cart" } }),
    span(1, 3, 2, { ...cart, name: "post /charge" }),
    span(1, 4, 3, { ...cart, kind: "CLIENT", remoteEndpoint: { serviceName: "bank" }, tags: { error: "503" } }),
  ],
  [
    span(2, 5, undefined, { ...web, tags: { "http.status_code": "500", error: "x" } }),
    span(2, 6, 5, { ...web, kind: "CLIENT", remoteEndpoint: { serviceName: "cart" }, tags: { error: "500" } }),
    span(2, 7, 6, { ...cart, tags: { error: "boom", "http.status_code": "500" } }),
  ],
  [span(3, 8, undefined, web)],
];

let zipkin: Listener;
const get = async (path: string) => {
  const answer = await fetch(new URL(path, zipkin.url));
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
};

beforeAll(async () => {
  zipkin = await startZipkin();
  const post = (body: string | Buffer<ArrayBuffer>, headers = {}) =>
    fetch(new URL("/api/v2/spans", zipkin.url), { method: "POST", body, headers });
  expect((await post(JSON.stringify(TRACES[0]))).status).toBe(202);
  const zipped = gzipSync(JSON.stringify([...(TRACES[1] ?? []), ...(TRACES[2] ?? [])]));
  expect((await post(zipped, { "content-encoding": "gzip" })).status).toBe(202);
});
afterAll(() => zipkin.close());

describe("the span collector", () => {
  it.each([
    ["newest first", "", [3, 2, 1]],
    ["at most as many as asked", "&limit=1", [3]],
    ["by a service that recorded a span", "&serviceName=Cart", [2, 1]],
    ["not by one that was only called", "&serviceName=bank", []],
    ["by a span's name", "&spanName=post%20/charge", [1]],
    ["by service and name of one span", "&serviceName=web&spanName=post%20/charge", []],
    ["by the presence of a tag", "&annotationQuery=error", [2, 1]],
    ["by a tag of the service's own spans", "&serviceName=web&annotationQuery=error", [2]],
    ["by all of several tags", "&annotationQuery=http.status_code%3D500%20and%20error", [2]],
    ["by duration in µs", "&minDuration=8000", [3]],
    ["by a band of durations", "&minDuration=3000&maxDuration=5000", [2, 1]],
    ["not before the look back", "&lookback=1500", [3]],
    ["not after the end", `&endTs=${T + 1500}`, [1]],
  ])("finds traces %s", async (_, query, traces) => {
    const endTs = query.includes("endTs") ? "" : `&endTs=${T + 4000}`;
    const { status, body } = await get(`/api/v2/traces?${query}${endTs}`);
    expect(status).toBe(200);
    expect(body.map(([first]: ZipkinSpan[]) => Number(first?.traceId))).toEqual(traces);
  });

  it("answers a trace by its id, several by theirs, and 404 for one that is not here", async () => {
    expect((await get(`/api/v2/trace/${id(1)}`)).body).toEqual(TRACES[0]);
    expect((await get(`/api/v2/traceMany?traceIds=${id(1)},${id(9)}`)).body).toEqual([TRACES[0]]);
    expect((await get(`/api/v2/trace/${id(9)}`)).status).toBe(404);
  });

  it("knows the names", async () => {
    expect((await get("/api/v2/services")).body).toEqual(["cart", "web"]);
    expect((await get("/api/v2/spans?serviceName=cart")).body).toEqual(["get /", "post /charge"]);
    expect((await get("/api/v2/remoteServices?serviceName=cart")).body).toEqual(["bank"]);
  });

  it("draws the service graph: reported servers once, unreported ones from their callers, errors counted", async () => {
    const links = (await get(`/api/v2/dependencies?endTs=${T + 4000}`)).body;
    expect(links).toEqual([
      { parent: "web", child: "cart", callCount: 2, errorCount: 1 },
      { parent: "cart", child: "bank", callCount: 1, errorCount: 1 },
    ]);
    expect((await get(`/api/v2/dependencies?endTs=${T + 2500}&lookback=1000`)).body).toEqual([
      { parent: "web", child: "cart", callCount: 1, errorCount: 1 },
    ]);
  });

  it.each([
    "/api/v2/traces?limit=0",
    "/api/v2/traces?endTs=yesterday",
    "/api/v2/traces?maxDuration=5",
    "/api/v2/traceMany?traceIds=1",
    "/api/v2/dependencies",
  ])("answers 400 to %s", async (path) => {
    expect((await get(path)).status).toBe(400);
  });

  it.each([
    ["no JSON", "{"],
    ["no list", "{}"],
    ["no ids", `[{"name":"x"}]`],
  ])("refuses spans that are %s", async (_, body) => {
    expect((await fetch(new URL("/api/v2/spans", zipkin.url), { method: "POST", body })).status).toBe(400);
  });
});
