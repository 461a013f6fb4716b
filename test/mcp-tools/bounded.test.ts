import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import { TOOLS } from "../../mcp-tools/catalog.ts";
import type { ToolContext } from "../../mcp-tools/context.ts";
import { incident } from "../knowledge/incidents.ts";
import { callTool } from "./call-tool.ts";
import { caseFile, context, deploy, finding, NOW, recordingGate, steps } from "./scenario.ts";

const MANY = Array.from({ length: 1_000 }, (_, index) => index);
/** Ten kilobytes that cost many tokens a byte: digits, marks and letters of several scripts. */
const LONG = "7f3a9c:«é漢字»=0x1b ".repeat(500);

const huge = caseFile({
  findings: MANY.map((index) => ({ ...finding, service: `service-${index}`, because: LONG })),
  changes: MANY.map((index) => ({ ...deploy, id: `deploy-${index}`, message: LONG, author: LONG })),
  topology: { edges: MANY.map((index) => [`gateway-${LONG}`, `service-${index}`] as const), external: [] },
  gaps: MANY.map((index) => ({ source: `source-${index}`, what: LONG, because: LONG })),
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

/** Every source answers with ten megabytes, and so do the ledger, the memory and the gate. */
const world: ToolContext = {
  ...context({ caseFile: async () => huge, steps: few, gate, draft: async () => `${LONG}\n`.repeat(1_000) }),
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
    plan: async () => null,
    pauses: async () => [],
  },
  incidents: {
    recall: async () =>
      MANY.map((index) => ({ incidentId: `i-${index}`, at: NOW, summary: LONG, outcome: "recovered", score: 1 })),
  },
};

const ARGUMENTS: Readonly<Record<string, Record<string, unknown>>> = {
  query_metric: { metric: "error_rate", points: 100 },
  get_rollout: { service: "checkout" },
  get_incident: { incident: incident.id },
  search_incidents: { text: "anything" },
  draft_postmortem: { incident: incident.id },
  propose_plan: { change_ids: ["deploy-1"], reason: "Requests of checkout fail since this deploy." },
  submit_plan: { plan_id: "plan-1" },
};

describe("with ten megabytes behind every tool", () => {
  it.each(TOOLS.map(({ name, input }) => [name, Object.keys(input.shape)] as const))(
    "%s answers in at most 10,000 tokens",
    async (name, takes) => {
      const most = TOOLS.find((tool) => tool.name === name)?.input.safeParse({ ...ARGUMENTS[name], limit: 20 }).success;
      const args = { ...ARGUMENTS[name], ...(takes.includes("limit") && most === true ? { limit: 20 } : {}) };
      const { text, isError, structured } = await callTool(world, name, args);
      expect(isError, text.slice(0, 500)).toBe(false);
      expect(structured).not.toEqual({});
      expect(countTokens(text)).toBeLessThanOrEqual(10_000);
    },
  );
});
