import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import type { MetricFamily } from "../../core/config/derive/evidence.ts";
import { latencyNames, requestNames, tierOf } from "../../core/config/derive/metric-names.ts";
import { scaleOfConfigured, unitOfConfigured, unitOfMetric } from "../../core/config/units.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { createHttp } from "../../mcp-tools/connectors/http.ts";
import { sampleValue } from "../../mcp-tools/connectors/prometheus/answer.ts";
import { createCatalogue } from "../../mcp-tools/connectors/prometheus/catalogue.ts";
import { createPrometheus } from "../../mcp-tools/connectors/prometheus/prometheus.ts";
import { planQueries } from "../../mcp-tools/connectors/prometheus/query-plan.ts";
import type { ClusterChoice, ClusterSurvey, Surveyor } from "../cli/survey.ts";
import { seenWorkload } from "./live-changes.ts";
import { connectFlags } from "./live-flags.ts";
import { readFamily } from "./read-families.ts";
import type { Environment } from "./secrets.ts";

/** Variables whose tokens are sent where they are set, by source; their names stand in the file, and nothing else of them. */
const TOKENS = { prometheus: "PROMETHEUS_TOKEN", argocd: "ARGOCD_TOKEN" } as const;
/** Metrics of one kind whose labels are looked at; the likeliest by name come first. */
const MOST_FAMILIES = 6;
/** Names of one kind that are counted. */
const MOST_NAMES = 40;
/** Where a Prometheus listens by default, on this machine. */
const USUAL_PLACE = "http://127.0.0.1:9090";

/** Asks what there is, for `unship init`. Holds nothing open between two questions. */
export function createSurveyor({
  clock,
  environment,
}: {
  readonly clock: Clock;
  readonly environment: Environment;
}): Surveyor {
  const tokenOf = (variable: string): string | null => {
    const token = environment[variable];
    return token === undefined || token === "" ? null : token;
  };

  /** Opens the client of one Prometheus for as long as `use` takes. */
  async function withPrometheus<T>(
    endpoint: string,
    use: (parts: {
      readonly http: ReturnType<typeof createHttp>;
      readonly catalogue: ReturnType<typeof createCatalogue>;
    }) => Promise<T>,
  ): Promise<T> {
    const token = tokenOf(TOKENS.prometheus);
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    const http = createHttp({ source: "prometheus", base: new URL(endpoint), headers });
    try {
      return await use({ http, catalogue: createCatalogue({ http, clock }) });
    } finally {
      await http.close();
    }
  }

  return {
    async detect(abort) {
      const named = environment.PROMETHEUS_URL;
      const place = named === undefined || named === "" ? USUAL_PLACE : named;
      const answers = await withPrometheus(place, ({ http }) =>
        createPrometheus({ http, clock, queries: {} }).ping(abort),
      ).then(
        () => true,
        () => false,
      );
      return { prometheus: answers || place !== USUAL_PLACE ? place : null, kubeconfig: kubeconfigHere(environment) };
    },

    metrics: (endpoint, abort) =>
      withPrometheus(endpoint, async ({ http, catalogue }) => {
        const { version } = await createPrometheus({ http, clock, queries: {} }).ping(abort);
        const names = await catalogue.metricNames(abort);
        const likeliest = async (candidates: readonly string[]): Promise<readonly MetricFamily[]> => {
          const counted = await catalogue.counts(candidates.slice(0, MOST_NAMES), abort);
          const chosen = [...counted]
            .toSorted(
              ([one, a], [other, b]) => tierOf(one) - tierOf(other) || b.targets - a.targets || b.series - a.series,
            )
            .slice(0, MOST_FAMILIES);
          const families: MetricFamily[] = [];
          for (const [name] of chosen) {
            const family = await readFamily(catalogue, name, abort);
            if (family !== null) families.push(family);
          }
          return families;
        };
        return {
          version,
          tokenVariable: tokenOf(TOKENS.prometheus) === null ? null : TOKENS.prometheus,
          metrics: names.length,
          requests: await likeliest(requestNames(names)),
          latencies: await likeliest(latencyNames(names)),
        };
      }),

    cluster: (choice, abort) => surveyCluster(choice, kubeconfigHere(environment), clock, abort),

    async argocd(endpoint, abort) {
      const { connectArgocd } = await import("../../mcp-tools/connectors/argocd/argocd.ts");
      const token = tokenOf(TOKENS.argocd);
      const argocd = connectArgocd({
        endpoint: new URL(endpoint),
        token,
        services: [],
        clones: [],
        searchPath: environment.PATH,
        now: clock.now,
      });
      try {
        const [version, found] = await Promise.all([argocd.client.version(abort), argocd.client.applications(abort)]);
        return {
          version,
          tokenVariable: token === null ? null : TOKENS.argocd,
          applications: found.map(({ metadata }) => metadata.name),
        };
      } finally {
        await argocd.close();
      }
    },

    async flags({ type, endpoint, tokenVariable, project, environment: stage, environmentKey }, abort) {
      const token = tokenOf(tokenVariable);
      if (token === null) return null;
      const system = await connectFlags(
        { type, endpoint, token, project, environment: stage, environmentKey: environmentKey ?? "" },
        { services: [], now: clock.now },
      );
      try {
        return (await system.flags.flags(abort)).map(({ key }) => key);
      } finally {
        await system.close();
      }
    },

    async spans(endpoint, abort) {
      const { createZipkin } = await import("../../mcp-tools/connectors/zipkin/zipkin.ts");
      const http = createHttp({ source: "zipkin", base: new URL(endpoint) });
      try {
        return (await createZipkin({ http, clock }).ping(abort)).services;
      } finally {
        await http.close();
      }
    },

    highest: ({ endpoint, metric, query, unit, serviceLabel }, abort) =>
      withPrometheus(endpoint, async ({ catalogue }) => {
        const configured = { query, unit, worse: null };
        const scale = scaleOfConfigured(metric, configured);
        const queries = {
          [metric]: {
            query,
            scale,
            unit: unitOfMetric(metric) ?? unitOfConfigured(metric, configured) ?? "",
            worse: "up" as const,
          },
        };
        const planned = planQueries({ queries, serviceLabel, versionLabel: "version", policyRange: "5m" }).policy(
          metric,
        );
        if (!planned.ok) return null;
        const [top] = await catalogue.vector(`topk(1, max_over_time((${planned.query})[1d:5m]))`, abort);
        const value = sampleValue(top?.points[0]?.[1] ?? "");
        if (value === null || !Number.isFinite(value)) return null;
        return { value: value * planned.scale, service: top?.metric[serviceLabel] ?? "" };
      }),
  };
}

/** The kubeconfig that kubectl would read, if it is there. A list of several is not merged: the first counts. */
function kubeconfigHere({ KUBECONFIG, HOME }: Environment): string | null {
  const named = (KUBECONFIG ?? "").split(delimiter).find((one) => one !== "");
  const file = named ?? join(HOME ?? homedir(), ".kube", "config");
  return existsSync(file) ? file : null;
}

async function surveyCluster(
  { kubeconfig: asked, context, namespaces }: ClusterChoice,
  detected: string | null,
  clock: Clock,
  abort: AbortSignal,
): Promise<ClusterSurvey> {
  const { kubeClient } = await import("../../mcp-tools/connectors/kubernetes/client.ts");
  const { inClusterAccess, readKubeconfig } = await import("../../mcp-tools/connectors/kubernetes/kubeconfig.ts");
  const { kubernetesRollouts } = await import("../../mcp-tools/connectors/kubernetes/rollouts.ts");
  const kubeconfig = asked ?? detected;
  const access = kubeconfig === null ? inClusterAccess() : readKubeconfig(kubeconfig, context);
  const client = kubeClient(access);
  const read = async (looked: readonly string[]) =>
    (await kubernetesRollouts({ client, namespaces: looked, services: [], now: clock.now }).rollouts(abort)).map(
      seenWorkload,
    );
  try {
    const common = { server: access.server.href, kubeconfig, context };
    if (namespaces.length > 0)
      return { ...common, workloads: await read(namespaces), looked: namespaces, narrowed: null };
    try {
      return { ...common, workloads: await read(["*"]), looked: ["*"], narrowed: null };
    } catch (error) {
      if (!(error instanceof UnshipError) || error.code !== "source.refused") throw error;
      const looked = [access.namespace];
      return { ...common, workloads: await read(looked), looked, narrowed: error.message };
    }
  } finally {
    await client.close();
  }
}
