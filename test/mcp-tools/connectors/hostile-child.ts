import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import { argocdClient } from "../../../mcp-tools/connectors/argocd/client.ts";
import { flagsmithClient } from "../../../mcp-tools/connectors/flagsmith/client.ts";
import { createHttp, pathOfUrl } from "../../../mcp-tools/connectors/http.ts";
import { kubeClient } from "../../../mcp-tools/connectors/kubernetes/client.ts";
import { launchDarklyClient } from "../../../mcp-tools/connectors/launchdarkly/client.ts";
import { createPrometheus } from "../../../mcp-tools/connectors/prometheus/prometheus.ts";
import { createScrape } from "../../../mcp-tools/connectors/scrape/scrape.ts";
import { unleashClient } from "../../../mcp-tools/connectors/unleash/client.ts";
import { createZipkin } from "../../../mcp-tools/connectors/zipkin/zipkin.ts";

/** Asks one peer after another, `connector=address` each, in a process of its own. A line of JSON each: what came, and how much memory. */
const never = new AbortController().signal;
const clock = { now: () => 1_700_000_000_000 };
const common = { token: "t", project: "shop", environment: "production", timeoutMs: 120_000 };
const window = { from: clock.now() - 3_600_000, to: clock.now() };
const http = (source: string, base: URL) => createHttp({ source, base, timeoutMs: 120_000 });

/** Every connector that reads a peer's answer, and a question that it asks. */
const CONNECTORS: Readonly<Record<string, (base: URL) => Promise<unknown>>> = {
  kubernetes: (base) =>
    kubeClient({ server: base, namespace: "shop", http: {} }, { timeoutMs: 120_000 }).list(
      "Pod",
      "*",
      z.looseObject({}),
      never,
    ),
  prometheus: (base) =>
    createPrometheus({
      http: http("prometheus", base),
      clock,
      queries: {},
      scrapeIntervalMs: 15_000,
    }).range({ metric: "error_rate", window, stepMs: 15_000, purpose: "statistics" }, never),
  "prometheus-now": (base) =>
    createPrometheus({ http: http("prometheus", base), clock, queries: {} }).present("error_rate", never),
  argocd: (base) => argocdClient({ endpoint: base, token: "t", timeoutMs: 120_000 }).applications(never),
  unleash: (base) => unleashClient({ ...common, endpoint: base }).eventsSince({ types: [], from: 0 }, never),
  launchdarkly: (base) => launchDarklyClient({ ...common, endpoint: base }).flags(never),
  flagsmith: (base) => flagsmithClient({ ...common, project: 1, environmentKey: "k", endpoint: base }).flags(never),
  zipkin: (base) =>
    createZipkin({ http: http("zipkin", base), clock }).spans({ window, services: ["a", "b", "c"], limit: 100 }, never),
  "issuer's keys": (base) => http("the issuer's keys", base).getText(pathOfUrl(base), never),
  scrape: async (base) => {
    const source = await createScrape({
      targets: Array.from({ length: 20 }, (_, n) => ({ url: `${base.href}/${n}`, labels: { service: `s${n}` } })),
      ...{ discovery: null, intervalMs: 15_000, windowMs: 60_000, spool: null, now: 0, timeoutMs: 120_000 },
    });
    const { failed } = await source.scrapeOnce(15_000, never);
    throw new UnshipError("input.invalid", {
      what: "scrape",
      reason: `${failed.length} targets ${failed[0]?.because}`,
    });
  },
  discovery: async (base) => {
    const source = await createScrape({
      targets: [],
      ...{ discovery: base.href, intervalMs: 15_000, windowMs: 60_000, spool: null, now: 0, timeoutMs: 120_000 },
    });
    const { discoveryFailed } = await source.scrapeOnce(15_000, never);
    throw new UnshipError("input.invalid", { what: "discovery", reason: String(discoveryFailed) });
  },
};

for (const asked of process.argv.slice(2)) {
  const [connector = "", peer = ""] = asked.split("=");
  const answer = await CONNECTORS[connector]?.(new URL(peer)).then(
    (value) => ({ code: "answered", text: JSON.stringify(value).slice(0, 200) }),
    (error: unknown) =>
      error instanceof UnshipError
        ? { code: error.code, text: error.message }
        : { code: "unexpected", text: String(error) },
  );
  await sleep(50);
  const rssMb = Math.round(process.resourceUsage().maxRSS / 1024);
  process.stdout.write(`${JSON.stringify({ ...answer, connector, attack: new URL(peer).pathname.slice(1), rssMb })}\n`);
}
process.exit(0);
