import type { Config, MetricsSource } from "../../core/config/config.ts";
import { presentValue } from "../../core/config/present-value.ts";
import { scaleOfConfigured, unitOfConfigured, unitOfMetric, worseOfConfigured } from "../../core/config/units.ts";
import type { Trouble } from "../../core/config/variables.ts";
import { silentAfter } from "../../core/detection/silence.ts";
import { UnshipError } from "../../core/errors.ts";
import { createHttp } from "../../mcp-tools/connectors/http.ts";
import type { PresentValue } from "../../mcp-tools/connectors/prometheus/prometheus.ts";
import { createPatience, evaluationLimits, withinPart } from "./patience.ts";
import { secret } from "./secrets.ts";
import { createServiceNames } from "./service-names.ts";
import { attempt, type OpenContext, type SystemParts } from "./system-parts.ts";

/** Opens the source of metrics: Prometheus, or the embedded scraper. */
export async function openMetrics(
  source: MetricsSource,
  { config, clock, environment, act, note }: OpenContext,
  parts: SystemParts,
): Promise<void> {
  const { serviceLabel, versionLabel } = config;
  if (source.type === "prometheus") {
    const { createPrometheus, NARROW: narrow } = await import("../../mcp-tools/connectors/prometheus/prometheus.ts");
    const headers = source.token === null ? {} : { authorization: `Bearer ${secret(source.token, environment)}` };
    const http = createHttp({ source: "prometheus", base: new URL(source.endpoint), headers, narrow });
    const queries = Object.fromEntries(
      Object.entries(source.queries).map(([metric, query]) => [
        metric,
        {
          query: query.query,
          unit: unitOfMetric(metric) ?? unitOfConfigured(metric, query) ?? "",
          scale: scaleOfConfigured(metric, query),
          worse: worseOfConfigured(metric, query),
        },
      ]),
    );
    const prometheus = createPrometheus({
      http,
      clock,
      queries,
      serviceLabel,
      versionLabel,
      note: (metric, text) => note(`prometheus, ${metric}: ${text}`),
    });
    parts.sources.metrics.push(prometheus);
    const { createCatalogue } = await import("../../mcp-tools/connectors/prometheus/catalogue.ts");
    parts.tells.metrics.push({ prometheus, catalogue: createCatalogue({ http, clock }) });
    const { createMesh } = await import("../../mcp-tools/connectors/prometheus/mesh.ts");
    const mesh = createMesh({ http, clock, serviceOf: createServiceNames(config) });
    parts.sources.topology.push(mesh);
    parts.lacks.push(mesh.lacks);
    parts.observe.push({
      name: prometheus.name,
      of: "targets",
      what: "targets",
      look: (_, abort) => prometheus.targetsDown(abort),
    });
    parts.report.push((abort) =>
      attempt(`prometheus ${source.endpoint}`, async () => {
        const { version, latencyMs } = await prometheus.ping(abort);
        return `version ${version}, ${Math.round(latencyMs)} ms`;
      }),
    );
    const { promqlFault } = await import("../../mcp-tools/connectors/prometheus/query-facts.ts");
    for (const [metric, { query }] of Object.entries(source.queries)) {
      // What is no PromQL is told with its place in the file, and asked of nobody.
      if (promqlFault(query) !== null) continue;
      parts.report.push(async (abort) => {
        try {
          return {
            ok: true,
            text: `prometheus ${metric}: ${presentText(config, metric, await prometheus.present(metric, abort))}`,
          };
        } catch (error) {
          const text = `prometheus ${metric}: ${error instanceof Error ? error.message : String(error)}`;
          return isRefusedQuery(error)
            ? { ok: false, text, trouble: refusedTrouble(metric, error) }
            : { ok: false, text };
        }
      });
    }
    parts.close.push(() => http.close());
    return;
  }
  const { createScrape } = await import("../../mcp-tools/connectors/scrape/scrape.ts");
  const scrape = await createScrape({
    targets: source.targets,
    discovery: source.discovery,
    intervalMs: source.intervalMs,
    windowMs: source.windowMs,
    spool: spoolOf(source.spool, { act, config }),
    now: clock.now(),
    serviceLabel,
    versionLabel,
    ...(await customMetrics(source.queries)),
    silentAfterMs: silentAfter(source.intervalMs),
    policyWindowMs: Math.min(60_000, 5 * source.intervalMs),
  });
  parts.sources.metrics.push(scrape);
  const patience = createPatience(withinPart(evaluationLimits(config.watch.stepMs)));
  parts.observe.push({
    name: scrape.name,
    of: "targets",
    what: "targets",
    look: async (now, abort, isAwaited) => (await scrape.scrapeOnce(now, abort, isAwaited ? patience : undefined)).gaps,
  });
  parts.report.push((abort) =>
    attempt("scrape", async () => {
      const summary = await scrape.scrapeOnce(clock.now(), abort);
      const down = [
        ...summary.failed.map(({ url, because }) => `${url}: ${because}`),
        ...(summary.discoveryFailed === null ? [] : [summary.discoveryFailed]),
      ];
      if (down.length > 0 || summary.targets === 0) throw new Error(down.join("; ") || "no target to scrape");
      return `${summary.targets} targets, ${summary.samples} samples`;
    }),
  );
  parts.close.push(() => scrape.close());
}

/** The gate keeps its own: what the agent could write is no evidence to it. */
const spoolOf = (spool: string | null, { act, config }: Pick<OpenContext, "act" | "config">): string | null =>
  spool !== null && act && config.gate !== undefined ? `${spool}.gate` : spool;

async function customMetrics(queries: Extract<MetricsSource, { type: "scrape" }>["queries"]) {
  const { mappingOf } = await import("../../mcp-tools/connectors/scrape/mapping.ts");
  const custom = Object.fromEntries(
    Object.entries(queries).flatMap(([metric, query]) => {
      const mapped = mappingOf(query.query);
      if (!mapped.ok) return [];
      const unit = unitOfMetric(metric) ?? unitOfConfigured(metric, query) ?? "";
      return [
        [
          metric,
          { ...mapped.mapping, unit, scale: scaleOfConfigured(metric, query), worse: worseOfConfigured(metric, query) },
        ],
      ];
    }),
  );
  return { custom };
}

/**
 * The server read the query and will not evaluate it.
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/#format-overview (400: bad or missing parameters; 422: cannot be executed)
 */
export const isRefusedQuery = (error: unknown): error is UnshipError =>
  error instanceof UnshipError &&
  error.code === "source.refused" &&
  (error.facts.status === 400 || error.facts.status === 422);

const refusedTrouble = (metric: string, error: UnshipError): Trouble => ({
  path: ["data_sources", "metrics", "queries", metric],
  at: "value",
  message: `data_sources.metrics.queries.${metric}: ${error.message}`,
  hint: "fix the query, as the server says",
});

function presentText(config: Config, metric: string, present: PresentValue): string {
  const { text, doubts } = presentValue(config, metric, present.overall);
  const services = Object.keys(present.byService).length;
  const grouped =
    present.notByService === null ? `by service: ${services}` : `NOT distinguished by service: ${present.notByService}`;
  return [text, grouped, ...doubts.map((doubt) => `WARNING: ${doubt}`)].join("; ");
}
