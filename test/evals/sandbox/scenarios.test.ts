import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { settled } from "../../../evals/sandbox/rollouts.ts";
import { type Sandbox, startSandbox } from "../../../evals/sandbox/sandbox.ts";
import { isScenarioName, SCENARIO_NAMES, SCENARIOS, type Scenario } from "../../../evals/sandbox/scenarios.ts";
import { canaryName, FLAG } from "../../../evals/sandbox/shop.ts";
import { servicesOf } from "../../../evals/sandbox/worlds.ts";
import { scraped, until } from "./small-shop.ts";

/** One sandbox for all: each scenario breaks another service, and each row asks about what it alone breaks. */
const directory = mkdtempSync(join(tmpdir(), "sandbox-"));
let sandbox: Sandbox;

beforeAll(async () => {
  sandbox = await startSandbox({ directory });
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

const getJson = async (url: string) => JSON.parse(await (await fetch(url)).text());

/** `/metrics` of each pod of the service that runs this version. */
async function pages(service: string, version: string): Promise<readonly URL[]> {
  const targets: { targets: string[]; labels: Record<string, string> }[] = await getJson(
    sandbox.endpoints.metricsDiscovery,
  );
  return targets
    .filter(({ labels }) => labels.service === service && labels.version === version)
    .map(({ targets: [host] }) => new URL(`http://${host}/metrics`));
}

async function sum(service: string, version: string, metric: string, labels = {}): Promise<number> {
  const values = await Promise.all((await pages(service, version)).map((page) => scraped(page, metric, labels)));
  return values.reduce((total, value) => total + value, 0);
}

const deployments = () => `${sandbox.endpoints.kubernetes}apis/apps/v1/namespaces/production/deployments`;

describe("the scenarios", () => {
  it("blip: the new pods fail at first, and then no more", async () => {
    await sandbox.play({ scenario: "blip" });
    await settled(new URL(sandbox.endpoints.kubernetes));
    const failures = () => sum("cart", "1.2.0", "http_requests_total", { status: "500" });
    await until(async () => ((await failures()) > 0 ? true : undefined));
    // Every pod is past its first seconds once it has served for so long; then the count stands still.
    await until(async () => {
      const before = await failures();
      const served = await sum("cart", "1.2.0", "http_requests_total");
      await until(async () => ((await sum("cart", "1.2.0", "http_requests_total")) > served + 60 ? true : undefined));
      return (await failures()) === before ? true : undefined;
    });
  });

  it("bad-latency: answers slow down, and nothing fails", async () => {
    await sandbox.play({ scenario: "bad-latency" });
    await until(async () => ((sandbox.traffic().at(-1)?.p99Ms ?? 0) > 2500 ? true : undefined));
    const counts = async () => {
      const total = await sum("catalog", "1.2.0", "http_request_duration_seconds_count");
      return { total, fast: await sum("catalog", "1.2.0", "http_request_duration_seconds_bucket", { le: "2.5" }) };
    };
    // Slow answers are counted three seconds late: from where they come in as fast as they are caused, the share is right.
    const from = await until(async () => {
      const now = await counts();
      return now.total - now.fast > 40 ? now : undefined;
    });
    const to = await until(async () => {
      const now = await counts();
      return now.total - from.total > 300 ? now : undefined;
    });
    const slow = 1 - (to.fast - from.fast) / (to.total - from.total);
    // 40 % of requests, within five standard errors of 300 of them.
    expect(Math.abs(slow - 0.4)).toBeLessThan(5 * Math.sqrt((0.4 * 0.6) / 300));
    expect(await sum("catalog", "1.2.0", "http_requests_total", { status: "500" })).toBe(0);
  });

  it("leak: memory climbs toward the limit while requests are still served", async () => {
    const ratio = async (version: string) =>
      (await sum("pricing", version, "process_resident_memory_bytes")) /
      (await sum("pricing", version, "container_spec_memory_limit_bytes"));
    const usual = await ratio("1.1.0");
    await sandbox.play({ scenario: "leak" });
    await until(async () => ((await ratio("1.2.0")) > usual + 0.2 ? true : undefined));
    expect(await sum("pricing", "1.2.0", "http_requests_total", { status: "500" })).toBe(0);
  });

  it("not-ready: the rollout sticks, the old pods serve on, and the Deployment says so", async () => {
    await sandbox.play({ scenario: "not-ready" });
    const status = await until(async () => {
      const { status: now } = await getJson(`${deployments()}/inventory`);
      const progressing = now.conditions.find(({ type }: { type: string }) => type === "Progressing");
      return progressing?.reason === "ProgressDeadlineExceeded" ? now : undefined;
    });
    expect([status.updatedReplicas, status.readyReplicas, status.unavailableReplicas]).toEqual([1, 2, 1]);
    expect(await pages("inventory", "1.1.0")).toHaveLength(2);
  });

  it("quiet: nothing is written anywhere", async () => {
    const before = sandbox.writes().length;
    await sandbox.play({ scenario: "quiet" });
    expect(sandbox.writes()).toHaveLength(before);
  });

  it.each(SCENARIO_NAMES)("%s names a culprit that there is, or none", (name) => {
    const { truth, world = "shop" }: Scenario = SCENARIOS[name];
    const services = servicesOf([world]);
    expect([...services, ...services.map(canaryName), FLAG.name, null]).toContain(truth.culprit);
    expect(truth.culprit === null).toBe(truth.action === "no_action");
  });

  it("has no scenario by an inherited name", () => {
    expect(isScenarioName("constructor")).toBe(false);
  });
});
