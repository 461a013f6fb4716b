import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { toolContext } from "../../../agent/compose/chain.ts";
import { openLiveSystem } from "../../../agent/compose/live-system.ts";
import { draftPostmortem } from "../../../agent/compose/postmortems.ts";
import { executorWithoutSecrets, sourcesWithoutSecrets } from "../../../agent/compose/without-secrets.ts";
import type { ChatReply } from "../../../agent/models/model.ts";
import { modelWithoutSecrets } from "../../../agent/models/without-secrets.ts";
import { createAssessor } from "../../../core/assessment/assessor.ts";
import { UnshipError } from "../../../core/errors.ts";
import type { Sources } from "../../../core/ports.ts";
import { readRecording } from "../../../evals/record/read-recording.ts";
import { recordOf } from "../../../knowledge/record.ts";
import { TOOLS } from "../../../mcp-tools/catalog.ts";
import { readingCode, testConfig } from "../../core/assessment/config.ts";
import { callTool } from "../../mcp-tools/call-tool.ts";
import { openAnsweringSystem } from "./answering-system.ts";
import { PLACES, planted, plantedExecutor, secretOf } from "./planted.ts";

const never = new AbortController().signal;
const SERVICE = "stock";

/** Everything that comes out of one incident, from its first sign to its recovery, by where it comes out. */
async function everything(guard: boolean): Promise<Readonly<Record<string, string>>> {
  const sources = (raw: Sources) => planted(raw, SERVICE);
  await using system = await openAnsweringSystem({
    deploys: [{ service: SERVICE, fromS: 20, errors: 0.4 }],
    between: {
      sources: (raw) => (guard ? sourcesWithoutSecrets(sources(raw)) : sources(raw)),
      executor: (raw) => (guard ? executorWithoutSecrets(plantedExecutor(raw)) : plantedExecutor(raw)),
    },
  });
  await system.until(150);
  const { config, clock, ledger, gate } = system;
  const [incident] = await system.incidents();
  if (incident === undefined) throw new Error(`no incident was opened: ${system.told()}`);
  expect(incident.outcome, system.told()).toBe("recovered");

  const parts = {
    version: "test",
    config: readingCode(config),
    clock,
    sources: system.sources,
    ledger,
    store: null,
    gate,
  };
  const caseFile = await createAssessor({ sources: system.sources, config }).gather(clock.now(), never);
  const here = toolContext(parts, async () => caseFile, "mcp");
  const given: Readonly<Record<string, Record<string, unknown>>> = {
    query_metric: { metric: "error_rate" },
    get_rollout: { service: SERVICE },
    get_commits: { change_id: `${SERVICE}-1` },
    get_incident: { incident: incident.id },
    propose_plan: { change_ids: [`${SERVICE}-1`], reason: "Requests of stock fail since this deploy." },
    submit_plan: { plan_id: incident.plan?.id ?? "" },
  };
  const answers: [string, string][] = [];
  for (const { name } of TOOLS) {
    if (name === "draft_postmortem" || name === "search_incidents") continue;
    answers.push([`answer of ${name}`, JSON.stringify(await callTool(here, name, given[name] ?? {}))]);
  }
  const window = { from: clock.now() - 60_000, to: clock.now() };
  const recording = await readRecording(system.sources, config, { id: "recorded", window }, never);
  const draft = (format: "md" | "html") => draftPostmortem(incident, { config, ledger, store: null, format });
  const included = ["deployment_details", "anomaly_metrics", "rollback_duration", "recovery_confirmed"] as const;
  return {
    ...Object.fromEntries(answers),
    ledger: JSON.stringify(await ledger.entries()),
    incidents: JSON.stringify(await ledger.incidents()),
    notices: JSON.stringify(system.notices),
    events: JSON.stringify(system.events),
    bundle: JSON.stringify(recording),
    "postmortem, Markdown": await draft("md"),
    "postmortem, HTML": await draft("html"),
    "incident store": JSON.stringify(recordOf(incident, included)),
  };
}

/** Where which secret came out. */
const found = (all: Readonly<Record<string, string>>): readonly string[] =>
  Object.entries(all).flatMap(([where, text]) =>
    PLACES.filter((place) => text.includes(secretOf(place))).map((place) => `${place} in ${where}`),
  );

describe("S10: a secret in any text of others", () => {
  it("is in no ledger entry, incident, notice, bundle, postmortem, memory or MCP answer", async () => {
    const all = await everything(true);
    expect(found(all)).toEqual([]);
    // What stands around them did come through: nothing was left out to hide them.
    expect(all.bundle).toContain("[redacted]");
    expect(all["answer of list_changes"]).toContain("[redacted");
    expect(all["answer of search_logs"]).toContain("[redacted]");
  }, 120_000);

  it("would be in many of them without the guard, from most places: the test sees what it looks for", async () => {
    const leaks = found(await everything(false));
    expect(leaks).toEqual(
      expect.arrayContaining(["change cause in ledger", "author in incidents", "word of an executor in events"]),
    );
  }, 120_000);

  it.each(PLACES)("that stands in the %s does not get past the guard", async (place) => {
    const bare: Sources = {
      metrics: [],
      changes: [],
      logs: [],
      traces: [],
      topology: [],
      flags: [],
      rollouts: [],
      alerts: [],
    };
    const sources = sourcesWithoutSecrets(planted(bare, SERVICE));
    const window = { from: 0, to: 10_000 };
    const said = await Promise.allSettled([
      ...sources.logs.map((one) => one.search({ window, limit: 9 }, never)),
      ...sources.traces.map((one) => one.spans({ window, limit: 9 }, never)),
      ...sources.alerts.map((one) => one.alerts(window, never)),
      ...sources.flags.map((one) => one.flags(never)),
      ...(sources.infrastructure ?? []).map((one) => one.infrastructure(window, never)),
    ]);
    const text = said
      .map((one) => (one.status === "fulfilled" ? JSON.stringify(one.value) : String(one.reason)))
      .join();
    expect(text).not.toContain(secretOf(place));
  });

  it("goes no further than the source itself in a system opened from a configuration", async () => {
    const folder = mkdtempSync(join(tmpdir(), "unship-secrets-"));
    const file = join(folder, "stock.jsonl");
    const line = {
      at: "2026-03-02T12:00:00Z",
      service: SERVICE,
      level: "error",
      message: "no",
      version: "pass: Zk81xv71",
    };
    writeFileSync(file, `${JSON.stringify(line)}\n`);
    const config = testConfig({
      dataSources: {
        metrics: {
          type: "scrape",
          targets: [],
          discovery: null,
          intervalMs: 1_000,
          windowMs: 60_000,
          spool: null,
          queries: {},
        },
        deployments: [],
        logs: { type: "jsonl", paths: [file] },
        traces: null,
        featureFlags: null,
        migrations: [],
      },
    });
    const clock = { now: () => Date.parse("2026-03-02T12:01:00Z") };
    const system = await openLiveSystem({ config, clock, environment: {}, act: false, note: () => {} });
    try {
      const found = await system.sources.logs[0]?.search({ window: { from: 0, to: clock.now() }, limit: 1 }, never);
      expect(found?.lines).toMatchObject([{ message: "no", version: "pass: [redacted]" }]);
    } finally {
      await system.close();
      rmSync(folder, { recursive: true });
    }
  });

  it("is in no error of ours, whatever its code", () => {
    const error = new UnshipError("source.unavailable", { source: "unleash", reason: "GET /?sig=Zk81xv71 said no" });
    expect([error.message, JSON.stringify(error.facts)].join()).not.toContain("Zk81xv71");
    expect(error.message).toContain("sig=[redacted] said no");
  });

  it("is in no reply of a model, and in none of the calls that it asks for", async () => {
    const reply: ChatReply = {
      text: "the logs show DB_PASS=Zk81xv71 in plain sight",
      calls: [{ id: "c1", name: "search_logs", args: { text: "password=Zk81xv71", token: "Zk81xv71" } }],
      stop: "calls",
      usage: { inputTokens: 1, outputTokens: 1 },
    };
    const model = modelWithoutSecrets({ name: "m", reply: async () => reply });
    const said = await model.reply({ system: "", tools: [], messages: [], maxOutputTokens: 9 }, never);
    expect(JSON.stringify(said)).not.toContain("Zk81xv71");
    expect(said).toMatchObject({ text: "the logs show DB_PASS=[redacted] in plain sight", stop: "calls" });
  });

  it("stands in no version or object that a plan names: what is acted on stays as it is", async () => {
    const digest = `sha256:${"4be1d02f".repeat(8)}`;
    const state = {
      version: digest,
      revision: "7",
      obstacles: ["token=Zk81xv71"],
      warnings: [],
      reaches: ["token-service"],
    };
    const executor = executorWithoutSecrets({
      action: "kubectl_rollout_undo",
      inspect: async () => state,
      dryRun: async () => Promise.reject(new Error("unused")),
      execute: async () => Promise.reject(new Error("unused")),
      reconcile: async () => Promise.reject(new Error("unused")),
    });
    expect(await executor.inspect({} as never, never)).toEqual({ ...state, obstacles: ["token=[redacted]"] });
  });
});
