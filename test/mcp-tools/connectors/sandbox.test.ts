import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../../evals/sandbox/sandbox.ts";
import { CALLS, CURRENT_VERSION, EXTERNAL, NEXT_VERSION, SERVICES } from "../../../evals/sandbox/shop.ts";
import { createHttp } from "../../../mcp-tools/connectors/http.ts";
import { createJsonlLogs } from "../../../mcp-tools/connectors/jsonl-logs/jsonl-logs.ts";
import { createPrometheus } from "../../../mcp-tools/connectors/prometheus/prometheus.ts";
import { createScrape, type ScrapeSource } from "../../../mcp-tools/connectors/scrape/scrape.ts";
import { createZipkin } from "../../../mcp-tools/connectors/zipkin/zipkin.ts";
import { startPrometheus } from "../../real/prometheus.ts";
import { requireReal } from "../../real-component.ts";

const STEP = 1000;
const TICKS = 12;
const never = new AbortController().signal;
const clock = { now: () => Date.now() };

describe("the connectors, on the live sandbox", () => {
  let directory: string;
  let sandbox: Sandbox;
  let scrape: ScrapeSource;
  let begun: number;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "unship-sandbox-"));
    sandbox = await startSandbox({ directory, requestsPerSecond: 20 });
    scrape = await createScrape({
      targets: [],
      discovery: sandbox.endpoints.metricsDiscovery,
      intervalMs: STEP,
      windowMs: 600_000,
      spool: join(directory, "spool"),
      now: Date.now(),
    });
    begun = Date.now();
    for (let tick = 0; tick < TICKS; tick += 1) {
      await pause(STEP - (Date.now() % STEP));
      await scrape.scrapeOnce(Date.now(), never);
    }
  }, 120_000);

  afterAll(async () => {
    await scrape?.close();
    await sandbox?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const window = () => ({ from: begun, to: Date.now() });

  it("scrape measures every service, and none of it is out of the ordinary", async () => {
    for (const purpose of ["statistics", "policy"] as const) {
      const measured = async (metric: string) => {
        const all = await scrape.range({ metric, window: window(), stepMs: STEP, purpose }, never);
        const whole = all.filter(({ labels }) => Object.keys(labels).length === 0);
        expect(whole.map(({ service }) => service).sort()).toEqual(expect.arrayContaining(SERVICES.filter(served)));
        return whole.flatMap(({ values }) => values).filter((value) => value !== null);
      };
      for (const value of await measured("error_rate")) expect(value).toBeLessThanOrEqual(1);
      for (const value of await measured("memory_usage")) expect(value).toBeGreaterThan(0);
      for (const value of await measured("cpu_usage")) expect(value).toBeLessThan(2);
      for (const value of await measured("p99_latency")) expect(value).toBeLessThan(10_000);
      expect((await measured("request_rate")).length).toBeGreaterThan(TICKS);
    }
  });

  it("scrape counts the requests that the gateway says it served", async () => {
    const [gateway] = (
      await scrape.range({ metric: "request_rate", window: window(), stepMs: STEP, purpose: "statistics" }, never)
    ).filter(({ service }) => service === "gateway");
    const rates = gateway?.values.filter((value) => value !== null) ?? [];
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    expect(mean).toBeGreaterThan(10);
    expect(mean).toBeLessThan(40);
  });

  it("logs are found by service and level, newest first", async () => {
    const logs = createJsonlLogs({ paths: [sandbox.endpoints.logs] });
    const { lines, invalid } = await logs.search({ window: { from: 0, to: Date.now() }, limit: 50 }, never);
    expect(lines.length).toBeGreaterThan(0);
    expect(invalid).toBe(0);
    for (const line of lines) expect(SERVICES).toContain(line.service);
    expect(lines.map(({ at }) => at)).toEqual(lines.map(({ at }) => at).toSorted((a, b) => b - a));
    const [service = ""] = lines.map((line) => line.service);
    const ofOne = await logs.search({ window: { from: 0, to: Date.now() }, services: [service], limit: 5 }, never);
    expect(new Set(ofOne.lines.map((line) => line.service))).toEqual(new Set([service]));
  });

  it("traces show who calls whom, with versions, and the bank as external", async () => {
    const http = createHttp({ source: "zipkin", base: new URL(sandbox.endpoints.zipkin) });
    const zipkin = createZipkin({ http, clock });
    const { edges, external } = await zipkin.topology(never);
    const known = CALLS.map((call) => call.join(" "));
    for (const edge of edges) expect(known).toContain(edge.join(" "));
    expect(edges).toEqual(
      expect.arrayContaining([
        ["gateway", "catalog"],
        ["checkout", "payments"],
      ]),
    );
    expect(new Set(edges.map((edge) => edge.join())).size).toBe(edges.length);
    expect(external).toEqual([EXTERNAL]);
    const { spans } = await zipkin.spans({ window: window(), services: ["checkout"], limit: 200 }, never);
    expect(spans.length).toBeGreaterThan(0);
    expect(spans.every(({ version }) => version !== undefined)).toBe(true);
    await http.close();
  });

  it.skipIf(!requireReal("prometheus", "prometheus"))(
    "Prometheus, scraping the same targets, says the same",
    async () => {
      await using prometheus = await startPrometheus({ configFile: sandbox.endpoints.prometheusConfigPath });
      const source = createPrometheus({ http: prometheus.http, clock, queries: {} });
      const rates = async () => {
        const now = Date.now();
        const recent = { from: now - 8000, to: now };
        return await source.range(
          { metric: "request_rate", window: recent, stepMs: STEP, purpose: "statistics" },
          never,
        );
      };
      const enough = (values: readonly (number | null)[]) => values.filter((value) => value !== null).length >= 5;
      let theirs = await rates();
      for (
        const giveUp = Date.now() + 40_000;
        theirs.filter(({ values }) => enough(values)).length < 5;
        theirs = await rates()
      ) {
        if (Date.now() > giveUp) throw new Error("Prometheus has no data");
        await pause(STEP - (Date.now() % STEP));
        await scrape.scrapeOnce(Date.now(), never);
      }
      for (const { service, startAt, values } of theirs.filter(({ labels }) => Object.keys(labels).length === 0)) {
        const span = { from: startAt, to: startAt + (values.length - 1) * STEP };
        const [ours] = (
          await scrape.range({ metric: "request_rate", window: span, stepMs: STEP, purpose: "statistics" }, never)
        ).filter((one) => one.service === service);
        const mean = (all: readonly (number | null)[]) => {
          const some = all.filter((value) => value !== null);
          return some.reduce((sum, value) => sum + value, 0) / some.length;
        };
        // Poisson traffic cut at different moments: half as much again, or a few requests.
        const [a, b] = [mean(ours?.values ?? []), mean(values)];
        expect(Math.abs(a - b), service).toBeLessThan(3 + 0.5 * b);
      }
    },
  );

  it("a bad deploy shows in all three: by version in metrics, as errors in logs and in traces", async () => {
    const from = Date.now();
    const played = sandbox.play({ scenario: "bad-deploy" });
    for (const giveUp = from + 60_000; ; ) {
      await pause(STEP - (Date.now() % STEP));
      await scrape.scrapeOnce(Date.now(), never);
      const seen = await scrape.range(
        { metric: "error_rate", window: { from, to: Date.now() }, stepMs: STEP, purpose: "statistics" },
        never,
      );
      const failing = seen.filter(
        ({ service, values }) => service === "payments" && values.some((value) => (value ?? 0) > 0),
      );
      const worst = (version: string) =>
        Math.max(
          0,
          ...failing
            .filter(({ labels }) => labels.version === version)
            .flatMap(({ values }) => values.map((v) => v ?? 0)),
        );
      // A machine without free CPU can make the good version time out once in a while: its share is small in the end.
      if (worst(CURRENT_VERSION) < worst(NEXT_VERSION)) break;
      if (Date.now() > giveUp) throw new Error(`only ${JSON.stringify(failing)} seen`);
    }
    await played;
    const window = { from, to: Date.now() };
    const logs = createJsonlLogs({ paths: [sandbox.endpoints.logs] });
    const errorsOf = async (version: string) => {
      const query = {
        window: { from, to: Date.now() },
        services: ["payments"],
        levels: ["error"],
        limit: 200,
      } as const;
      return (await logs.search(query, never)).lines.filter((line) => line.version === version).length;
    };
    const isLogged = async () => (await errorsOf(CURRENT_VERSION)) < (await errorsOf(NEXT_VERSION));
    for (const giveUp = Date.now() + 30_000; !(await isLogged()); await pause(200)) {
      if (Date.now() > giveUp) throw new Error("the bad version's failed requests were not logged");
    }
    const http = createHttp({ source: "zipkin", base: new URL(sandbox.endpoints.zipkin) });
    const zipkin = createZipkin({ http, clock });
    const ask = async () =>
      (await zipkin.spans({ window, services: ["payments"], errorsOnly: true, limit: 50 }, never)).spans;
    // Each process sends its spans in batches of its own, and one request in four is traced.
    const complete = (spans: Awaited<ReturnType<typeof ask>>) =>
      spans.some(({ service, error, version }) => service === "payments" && error && version === NEXT_VERSION) &&
      spans.some(({ service }) => service === "checkout");
    for (const giveUp = Date.now() + 30_000; !complete(await ask()); ) {
      if (Date.now() > giveUp) throw new Error("no failed call of payments from checkout was traced");
      window.to = Date.now();
      await pause(200);
    }
    await http.close();
  });
});

/** Services that the visitors' few requests are sure to reach within the test. */
function served(service: string): boolean {
  return ["gateway", "catalog", "pricing"].includes(service);
}
