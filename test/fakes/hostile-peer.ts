import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Writes what it is told, no faster than it is read, until it is done or nobody reads any more. */
async function pour(response: ServerResponse, pieces: Iterable<string>): Promise<void> {
  for (const piece of pieces) {
    if (response.destroyed) return;
    if (response.write(piece)) continue;
    await new Promise<void>((resolve) => {
      const go = () => {
        response.off("drain", go).off("close", go);
        resolve();
      };
      response.on("drain", go).on("close", go);
    });
  }
  if (!response.destroyed) response.end();
}

function* repeated(text: string, bytes: number): Iterable<string> {
  const block = text.repeat(Math.ceil(65_536 / text.length));
  for (let sent = 0; sent < bytes; sent += block.length) yield block;
}

const MIB = 1024 * 1024;
/** So much is sent where nobody hangs up: more than any bound. */
const WITHOUT_END = 1024 * MIB;

/** How a peer is hostile, by the first word of the path below which it is asked. `count`: which question this is, from 0. */
const ATTACKS: Readonly<Record<string, (response: ServerResponse, count: number) => Promise<void>>> = {
  /** Arrays within arrays: three bytes of memory or thirty for each that is sent. */
  levels: (response) => pour(response, repeated("[", 60 * MIB)),
  /** Objects in which a member holds another of its kind. */
  "levels-of-objects": (response) => pour(response, repeated('{"a":', 60 * MIB)),
  /** Many small values in an answer of a size that is allowed. */
  values: (response) => pour(response, ["[", ...repeated("[],", 60 * MIB), "0]"]),
  /** Each object of a shape of its own. */
  shapes: (response) =>
    pour(
      response,
      (function* () {
        yield "[";
        for (let n = 0; n < 4_500_000; n += 1000)
          yield Array.from({ length: 1000 }, (_, k) => `{"k${n + k}":0},`).join("");
        yield "0]";
      })(),
    ),
  /** One text that does not end. */
  "body-without-end": (response) => pour(response, ['{"data":"', ...repeated("x", WITHOUT_END)]),
  /** Kubernetes: each page empty, and always another one. */
  "endless-pages": async (response, count) => {
    response.end(JSON.stringify({ metadata: { continue: `page-${count + 1}` }, items: [] }));
  },
  /** Kubernetes: each page full of large objects, and always another one. */
  "endless-full-pages": async (response, count) => {
    const name = (n: number) => `pod-${count}-${n}`;
    const items = Array.from({ length: 500 }, (_, n) => ({ metadata: { name: name(n), note: "x".repeat(9000) } }));
    response.end(JSON.stringify({ metadata: { continue: `page-${count + 1}` }, items }));
  },
  /** Kubernetes: a page that is its own next one. */
  "repeated-page": async (response) => {
    response.end(JSON.stringify({ metadata: { continue: "again" }, items: [{ metadata: { name: "pod" } }] }));
  },
  /** Prometheus: a service a series. */
  "million-series": (response) =>
    pour(
      response,
      (function* () {
        yield '{"status":"success","data":{"resultType":"matrix","result":[';
        for (let n = 0; n < 1_000_000; n += 1000)
          yield Array.from({ length: 1000 }, (_, k) => `{"metric":{"service":"s${n + k}"},"values":[[1,"1"]]},`).join(
            "",
          );
        yield '{"metric":{"service":"s"},"values":[]}]}}';
      })(),
    ),
  /** Prometheus: one series of many points. */
  "endless-series": (response) =>
    pour(response, [
      '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"service":"s"},"values":[',
      ...repeated('[1,"1"],', 60 * MIB),
    ]),
  /** Prometheus: numbers where series belong. */
  "values-for-series": (response) =>
    pour(response, ['{"status":"success","data":{"resultType":"matrix","result":[', ...repeated("0,", 60 * MIB)]),
  /** HTTP service discovery: every host there is. */
  "million-targets": (response) => pour(response, ['[{"targets":[', ...repeated('"a:1",', 12 * MIB), '"a:1"]}]']),
  /** A list that is whole in the end, a few bytes at a time. */
  drip: async (response) => {
    for (const piece of '{"metadata":{},"items":[{"metadata":{"name":"slow"}}]}'.match(/.{1,6}/g) ?? []) {
      response.write(piece);
      await sleep(20);
    }
    response.end();
  },
};

/** A real server that answers every question as the first word of its path says: "/levels/api/v1/pods". */
export async function hostilePeer() {
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const attack = (request.url ?? "").split("/")[1] ?? "";
    const count = counts.get(attack) ?? 0;
    counts.set(attack, count + 1);
    response.on("error", () => {});
    response.setHeader("content-type", "application/json");
    request.resume();
    void ATTACKS[attack]?.(response, count).catch(() => response.destroy());
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    /** The peer that attacks so. */
    at: (attack: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${attack}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
