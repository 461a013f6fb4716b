import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import { TOOLS } from "../../mcp-tools/catalog.ts";
import type { ToolContext } from "../../mcp-tools/context.ts";
import { listResources, readResource } from "../../mcp-tools/resources/resources.ts";
import { readingCode } from "../core/assessment/config.ts";
import { incident } from "../knowledge/incidents.ts";
import { callTool } from "./call-tool.ts";
import { caseFile, config, context, deploy, finding, NOW, recordingGate, steps, target } from "./scenario.ts";

const MANY = Array.from({ length: 1_000 }, (_, index) => index);
/** Ten kilobytes that cost up to a token a byte: digits, marks and letters by turns, and scripts that are rarely written. */
const LONG = "7,1;aX9c:«é漢字»ꔀꕉ𠀋𪚥=0x1b ".repeat(250);

const huge = caseFile({
  findings: MANY.map((index) => ({ ...finding, service: `service-${index}`, because: LONG })),
  changes: MANY.map((index) => ({ ...deploy, id: `deploy-${index}`, message: LONG, author: LONG })),
  topology: {
    edges: MANY.map((index) => [`gateway-${LONG}`, `service-${index}`] as const),
    external: MANY.map((index) => `partner-${index} ${LONG}`),
  },
  gaps: MANY.map((index) => ({
    of: "metrics",
    how: "unanswered",
    source: `source-${index}`,
    what: LONG,
    because: LONG,
  })),
});

const { gate } = recordingGate({
  verdict: "deny",
  rules: MANY.map((index) => ({ rule: `rule-${index}`, verdict: "deny", reason: LONG })),
});

/** One suspect: the scenario's ranking shares a probability of 1 among few. */
const few: typeof steps = {
  ...steps,
  identify_recent_deployments: () => ({ onset: null, windowMs: 0, widened: null, changeIds: [deploy.id] }),
};

const plan = {
  id: "plan-1",
  hash: "f".repeat(64),
  incidentId: incident.id,
  targets: [],
  reason: "",
  proposedBy: LONG,
  createdAt: NOW,
  expiresAt: NOW,
};

const service = {
  namespace: null,
  workload: null,
  argocdApplication: null,
  flags: MANY.slice(0, 100).map((index) => `flag-${index}`),
  criticality: "critical" as const,
  revenuePerMinute: null,
  routes: [],
  mode: null,
};

/** Every source answers with ten megabytes, and so do the ledger, the memory and the gate. */
const world: ToolContext = {
  ...context({
    config: readingCode(config()),
    caseFile: async () => huge,
    steps: few,
    gate,
    draft: async () => `${LONG}\n`.repeat(1_000),
  }),
  sources: {
    metrics: [
      {
        name: "metrics",
        metrics: () => ["error_rate"],
        range: async () =>
          MANY.map((index) => ({
            metric: "error_rate",
            service: `service-${index}`,
            labels: { path: LONG },
            unit: "ratio",
            worse: "up" as const,
            startAt: NOW - 1_000 * 15_000,
            stepMs: 15_000,
            values: MANY.map((step) => Math.PI / (step + 1)),
          })),
      },
    ],
    changes: [],
    commits: [
      {
        name: "forge",
        commits: async () =>
          MANY.map((index) => ({
            ...{ sha: `${index}`, message: LONG, author: LONG, diff: LONG },
            files: MANY.map((file) => `${LONG}/${file}`),
          })),
      },
    ],
    logs: [
      {
        name: "logs",
        search: async () => ({
          lines: MANY.map((index) => ({ at: NOW, service: `s-${index}`, level: "error" as const, message: LONG })),
          more: true,
        }),
      },
    ],
    traces: [
      {
        name: "traces",
        spans: async () => ({
          spans: MANY.map((index) => ({
            traceId: `trace-${index % 100}`,
            spanId: `span-${index}`,
            ...(index < 100 ? {} : { parentId: `span-${index - 100}` }),
            service: LONG,
            name: LONG,
            startUs: NOW * 1_000,
            durationUs: 1_000 + index,
            error: true,
          })),
          more: true,
        }),
      },
    ],
    topology: [],
    flags: [
      {
        name: "flags",
        flags: async () =>
          MANY.map((index) => ({
            key: `${index} ${LONG}`,
            environment: LONG,
            enabled: true,
            version: "1",
            services: MANY.map((one) => `service-${one}`),
          })),
      },
    ],
    rollouts: [
      {
        name: "rollouts",
        rollouts: async () =>
          MANY.map(() => ({
            service: "checkout",
            workload: { kind: "Deployment" as const, namespace: LONG, name: LONG },
            version: LONG,
            revision: "1",
            status: "complete" as const,
            replicas: { desired: 1, updated: 1, ready: 1, available: 1 },
            restarts: 0,
            revisions: MANY.map((one) => ({
              revision: `${one}`,
              version: LONG,
              createdAt: one,
              current: false,
              reason: LONG,
            })),
            observedAt: NOW,
          })),
      },
    ],
    alerts: [
      {
        name: "alerts",
        alerts: async () =>
          MANY.map((index) => ({
            fingerprint: `${index}`,
            status: "firing" as const,
            labels: Object.fromEntries(MANY.slice(0, 14).map((one) => [`label-${one}`, LONG])),
            annotations: { summary: LONG },
            startsAt: NOW,
          })),
      },
    ],
  },
  ledger: {
    incident: async () => ({
      ...incident,
      affectedServices: MANY.map((index) => `service-${index} ${LONG}`),
      unverified: MANY.map(() => LONG),
      timeline: MANY.map((at) => ({ at, event: "event", detail: LONG })),
    }),
    incidents: async () => MANY.map((index) => ({ ...incident, id: `inc-${index}`, service: LONG })),
    entries: async () => [],
    plan: async () => ({ ...plan, reason: LONG, targets: MANY.map(() => ({ ...target, service: LONG })) }),
    pauses: async () => [],
    lastEvaluation: async () => ({
      ...{ at: NOW - 1_000, stepMs: 15_000 },
      down: MANY.map(() => ({ source: LONG, parts: [LONG], since: NOW - 60_000 })),
    }),
  },
  incidents: {
    recall: async () =>
      MANY.map((index) => ({ incidentId: `i-${index}`, at: NOW, summary: LONG, outcome: "recovered", score: 1 })),
  },
};

const ARGUMENTS: Readonly<Record<string, Record<string, unknown>>> = {
  query_metric: { metric: "error_rate", points: 100 },
  get_rollout: { service: "checkout" },
  get_commits: { change_id: "deploy-1" },
  get_incident: { incident: incident.id },
  search_incidents: { text: "anything" },
  draft_postmortem: { incident: incident.id },
  propose_plan: { change_ids: ["deploy-1"], reason: "Requests of checkout fail since this deploy." },
  submit_plan: { plan_id: "plan-1" },
};

/** The most rows that this tool can be asked for; undefined: it takes no limit. */
const largestLimit = ({ name, input }: (typeof TOOLS)[number]) =>
  [300, 200, 100, 50, 20].find(
    (limit) => "limit" in input.shape && input.safeParse({ ...ARGUMENTS[name], limit }).success,
  );

describe("with ten megabytes behind every tool", () => {
  it.each(TOOLS.map((tool) => [tool.name, largestLimit(tool)] as const))(
    "%s answers in at most 10,000 tokens, also when asked for all it takes (%s rows)",
    async (name, limit) => {
      const { text, isError, structured } = await callTool(world, name, {
        ...ARGUMENTS[name],
        ...(limit === undefined ? {} : { limit }),
      });
      expect(isError, text.slice(0, 500)).toBe(false);
      expect(structured).not.toEqual({});
      expect(countTokens(text)).toBeLessThanOrEqual(10_000);
      expect(countTokens(JSON.stringify(structured))).toBeLessThanOrEqual(10_000);
    },
  );
});

describe("with ten megabytes behind every resource", () => {
  it("the list and whatever is read from it take at most 10,000 tokens", async () => {
    const many = Object.fromEntries(MANY.map((index) => [`service-${index} ${LONG.slice(0, 150)}`, service]));
    const of = { ...world, config: config({ services: many }) };
    const { resources, next } = await listResources(of, undefined);
    expect(next).not.toBeNull();
    expect(countTokens(JSON.stringify(resources))).toBeLessThanOrEqual(10_000);
    for (const { uri } of resources.slice(0, 4)) {
      const read = await readResource(uri, of, new AbortController().signal);
      expect(read, uri).not.toBeNull();
      expect(countTokens(read?.text ?? ""), uri).toBeLessThanOrEqual(10_000);
    }
  });
});
