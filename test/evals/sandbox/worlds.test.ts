import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SandboxEvent } from "../../../evals/sandbox/acts.ts";
import { type Sandbox, startSandbox } from "../../../evals/sandbox/sandbox.ts";
import { REPLICAS } from "../../../evals/sandbox/workloads.ts";
import { servicesOf, WORLDS } from "../../../evals/sandbox/worlds.ts";
import { until } from "./small-shop.ts";

const directory = mkdtempSync(join(tmpdir(), "sandbox-"));
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ directory, scenario: "two", requestsPerSecond: 20, storyMinuteMs: 1500 });
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const read = async (url: URL): Promise<unknown> => JSON.parse(await (await fetch(url)).text());

describe("a second world in the sandbox", () => {
  it("has pods and pages of its own, and visitors who are served while nothing is broken", async () => {
    const targets = await read(new URL(sandbox.endpoints.metricsDiscovery));
    const services = Array.isArray(targets) ? targets.map(({ labels }) => labels.service) : [];
    expect(services.sort()).toEqual(
      servicesOf(["shop", "reports"])
        .flatMap((name) => Array(REPLICAS).fill(name))
        .sort(),
    );
    const report = await until(() => sandbox.traffic("reports").find(({ answered }) => answered > 10));
    expect(report.failed).toBe(0);
  });

  it("calls nothing of the shop's, and the shop nothing of its", async () => {
    const edges = await until(async () => {
      const url = new URL(`api/v2/dependencies?endTs=${Date.now()}&lookback=600000`, sandbox.endpoints.zipkin);
      const links = await read(url);
      const seen: { parent: string; child: string }[] = Array.isArray(links) ? links : [];
      return ["reports", "gateway"].every((door) => seen.some(({ parent }) => parent === door)) ? seen : undefined;
    });
    const own: readonly string[] = WORLDS.reports.services;
    expect(edges.filter(({ parent, child }) => own.includes(parent) !== own.includes(child))).toEqual([]);
  });

  it("is broken seconds after the shop, by its own deploy, and its visitors wait for it", async () => {
    const events: SandboxEvent[] = [];
    await sandbox.play({ onEvent: (event) => events.push(event) });
    expect(events.map((event) => (event.event === "deployed" ? event.service : event.event))).toEqual([
      "payments",
      "figures",
      "played",
    ]);
    const [first, second] = events;
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(900);
    await until(() => sandbox.traffic("reports").find(({ p99Ms }) => (p99Ms ?? 0) > 2500));
    await until(() => sandbox.traffic("shop").find(({ failed }) => failed > 0));
    expect(sandbox.writes().filter(({ own }) => !own)).toEqual([]);
  });
});
