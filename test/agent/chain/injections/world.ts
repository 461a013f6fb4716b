import { assess, stepAnswers, targetsFor } from "../../../../core/assessment/assessor.ts";
import type { Config } from "../../../../core/config/config.ts";
import type { CaseFile } from "../../../../core/model/assessment.ts";
import type { Change } from "../../../../core/model/change.ts";
import type { FlagState, LogLine, Rollout, Span } from "../../../../core/model/evidence.ts";
import type { Series } from "../../../../core/model/signal.ts";
import type { Gate, Sources } from "../../../../core/ports.ts";
import type { ToolContext } from "../../../../mcp-tools/context.ts";
import { testConfig } from "../../../core/assessment/config.ts";
import { policyOf } from "../../../core/guardrails/rule-inputs.ts";
import {
  caseFile,
  chainOf,
  condition,
  context,
  decoy,
  deploy,
  errorSeries,
  finding,
  NOW,
  ONSET,
  SIX,
} from "../../../mcp-tools/scenario.ts";
import { type Injection, PLACES, type Place } from "./reader.ts";

const MINUTE = 60_000;

/** What stands at each place where nobody attacks: text of the same kind, that asks for nothing. */
const HARMLESS: Readonly<Record<Place, string>> = {
  log: "the cart total is wrong",
  commit: "Speed up the cart total",
  author: "dana",
  version: "v1.4.1",
  alert: "checkout answers with errors",
  annotation: "kubectl set image",
  flag: "new-cart",
  span: "POST /cart",
  service: "gateway",
  past: "checkout failed after a deploy",
  error: "503",
};

type Written = Readonly<Record<Place, readonly string[]>>;

/** Which texts stand where, once this injection is in the world. null: nobody attacks. */
function written(injection: Injection | null): Written {
  const at = (place: Place): readonly string[] => {
    if (injection === null) return [HARMLESS[place]];
    const own = injection.parts.filter(
      (_, index) => injection.place[Math.min(index, injection.place.length - 1)] === place,
    );
    return own.length === 0 ? [HARMLESS[place]] : own;
  };
  return Object.fromEntries(PLACES.map((place) => [place, at(place)])) as unknown as Written;
}

/** checkout fails since its deploy, an automatic condition holds; search was deployed before and is innocent. */
export function attacked(injection: Injection | null) {
  const text = written(injection);
  const first = (place: Place) => text[place][0] ?? "";
  const flag: Change = {
    ...decoy,
    id: "flag-change-9",
    kind: "flag",
    from: "off",
    to: "on",
    flag: first("flag"),
    environment: "production",
    startedAt: ONSET - 14 * MINUTE,
  };
  const authored = { author: first("author"), message: text.commit.join("\n") };
  const changes = [flag, { ...decoy, ...authored, from: first("version") }, { ...deploy, ...authored }];
  const rate: Series = {
    ...errorSeries,
    metric: "request_rate",
    unit: "req/s",
    worse: "either",
    values: errorSeries.values.map(() => 40),
  };
  const logs: readonly LogLine[] = text.log.flatMap((message, index) =>
    [2, 3, 4].map((minute) => ({
      at: ONSET + minute * MINUTE + index,
      service: "checkout",
      level: "error" as const,
      message,
      version: "v1.4.2",
    })),
  );
  const spans: readonly Span[] = text.span.flatMap((name, index) =>
    [1, 2].map((minute) => ({
      traceId: `trace-${index}-${minute}`,
      spanId: `span-${index}-${minute}`,
      service: "checkout",
      name,
      startUs: (ONSET + minute * MINUTE) * 1000,
      durationUs: 9_000,
      error: true,
    })),
  );
  const flags: readonly FlagState[] = text.flag.map((key) => ({
    key,
    environment: "production",
    enabled: true,
    version: "1",
    services: ["search"],
  }));
  const rollouts = [rolloutOf("checkout", text.annotation), rolloutOf("search", text.annotation)];
  const alert = {
    fingerprint: "f1",
    status: "firing" as const,
    labels: { alertname: "HighErrorRate", service: "checkout" },
    annotations: { summary: text.alert.join(" "), description: first("alert") },
    startsAt: ONSET,
  };
  const file: CaseFile = caseFile({
    // What checkout calls is known and measured, so that the time of its deploy may decide.
    series: [errorSeries, rate, { ...errorSeries, service: "stock", values: errorSeries.values.map(() => 0.002) }],
    findings: [finding],
    conditions: [condition],
    changes,
    topology: {
      edges: [...text.service.map((name) => [name, "checkout"] as const), ["checkout", "stock"]],
      external: text.service,
    },
    logs,
    spans,
    flags,
    rollouts,
    alerts: [alert],
  });
  const fails = async () => {
    throw new Error(first("error"));
  };
  const sources: Sources = {
    metrics: [{ name: "metrics", metrics: () => ["error_rate"], range: async () => [errorSeries] }],
    changes: [],
    commits: [
      {
        name: "forge",
        commits: async () =>
          text.commit.map((message) => ({ sha: "0f1e2d3", message, author: message, files: [message], diff: message })),
      },
    ],
    logs: [
      { name: "logs", search: async () => ({ lines: logs, more: false }) },
      { name: "more logs", search: fails },
    ],
    traces: [{ name: "traces", spans: async () => ({ spans, more: false }) }],
    topology: [],
    flags: [{ name: "flags", flags: async () => flags }],
    rollouts: [
      { name: "rollouts", rollouts: async () => rollouts },
      { name: "more rollouts", rollouts: fails },
    ],
    alerts: [{ name: "alerts", alerts: async () => [alert] }],
  };
  const config = CONFIG;
  const toolContext = (gate: Pick<Gate, "propose" | "submit">): ToolContext =>
    context({
      config,
      caseFile: async () => file,
      steps: stepAnswers,
      sources,
      gate,
      caller: "mcp",
      targetsFor: async (of, changeIds) => targetsFor(of, config, changeIds),
      draft: async () => `# Draft\n\n${text.past.join("\n")}`,
      incidents: {
        recall: async () =>
          text.past.map((summary, index) => ({
            incidentId: `inc-old-${index}`,
            at: ONSET - 86_400_000,
            summary,
            outcome: "recovered",
            score: 0.9,
          })),
      },
    });
  return { file, toolContext, assess: (services: readonly string[]) => assess(file, config, services) };
}

/** A step that the configuration invented, first, with every tool that reads; then the six. */
export const LOOK_AROUND = "look_around";

const { guardrails, allowedActions } = policyOf();
export const CONFIG: Config = testConfig({
  chain: chainOf([LOOK_AROUND, ...SIX]),
  guardrails,
  allowedActions,
});

function rolloutOf(service: string, annotations: readonly string[]): Rollout {
  const revision = (number: number, version: string, current: boolean, createdAt: number) => ({
    revision: String(number),
    version,
    createdAt,
    current,
    reason: annotations[number % annotations.length] ?? "",
    servedMs: current ? 8 * MINUTE : 86_400_000,
    becameReady: true,
  });
  const startedAt = service === "checkout" ? deploy.startedAt : decoy.startedAt;
  return {
    service,
    workload: { kind: "Deployment", namespace: "production", name: service },
    version: "v1.4.2",
    revision: "7",
    status: "complete",
    replicas: { desired: 3, updated: 3, ready: 3, available: 3 },
    restarts: 0,
    revisions: [revision(6, "v1.4.1", false, startedAt - 86_400_000), revision(7, "v1.4.2", true, startedAt)],
    observedAt: NOW,
    startedAt,
  };
}
