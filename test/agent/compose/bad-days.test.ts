import { afterEach, describe, expect, it } from "vitest";
import { reasonOver } from "../../../agent/compose/chain.ts";
import { configuredModel } from "../../../agent/models/configured.ts";
import type { ModelConfig } from "../../../core/config/config.ts";
import { startFakeAnthropic } from "../../fakes/fake-anthropic.ts";
import type { Act, FakeCall, FakeModelServer } from "../../fakes/fake-model-server.ts";
import { startFakeOpenai } from "../../fakes/fake-openai.ts";
import { decoy, NOW } from "../../mcp-tools/scenario.ts";
import { GHOST, openScene, submitOwn } from "../chain/injections/play.ts";
import { CONFIG } from "../chain/injections/world.ts";

const servers: FakeModelServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

type Vendor = "anthropic" | "openai";
const BUDGET = { tokens: 60_000, turns: 40, timeMs: 20_000, stepTimeMs: 20_000, cost: null };

/** The chain beside a model behind a real socket that has this kind of day; then the core's own plan at the gate. */
async function day(vendor: Vendor, acts: readonly Act[], budget: Partial<ModelConfig["budget"]> = {}) {
  const server = await (vendor === "anthropic" ? startFakeAnthropic(acts) : startFakeOpenai(acts));
  servers.push(server);
  const model: ModelConfig = {
    provider: vendor,
    model: "m",
    baseUrl: vendor === "anthropic" ? server.baseUrl : `${server.baseUrl}/v1`,
    apiKey: null,
    mayHold: false,
    mayReadCode: false,
    budget: { ...BUDGET, ...budget },
    prices: null,
  };
  await using scene = await openScene(null);
  const { world, here } = scene;
  const { sources, ledger } = here.toolContext(world.gate);
  const parts = {
    version: "test",
    config: { ...CONFIG, chain: CONFIG.chain.slice(1), model },
    clock: { now: () => NOW },
    sources,
    ledger: { ...world.store, ...ledger },
    store: null,
    gate: world.gate,
  };
  const alone = await reasonOver(parts, undefined, here.file);
  const beside = await reasonOver({ ...parts, model: () => configuredModel(model, "k") }, undefined, here.file);
  const calls = world.targets.calls().length;
  const kinds = (await world.store.entries({ limit: 1_000 })).map(({ kind }) => kind);
  return { alone, beside, calls, kinds, own: await submitOwn(scene), asked: server.requests.length };
}

const call = (name: string, args: unknown): FakeCall => ({
  id: "c1",
  name,
  args: typeof args === "string" ? args : JSON.stringify(args),
});
const calling = (...calls: readonly FakeCall[]): Act => ({ kind: "say", calls });
const again = (status: number): Act => ({ kind: "status", status, headers: { "retry-after-ms": "1" } });
const ghostAnswer = { onset: null, windowMs: 1, widened: null, changeIds: [GHOST] };
const harm = { change_ids: [decoy.id], incident: "incident-1", reason: "because I want to, and at once please" };

const DAYS: readonly (readonly [string, readonly Act[], Partial<ModelConfig["budget"]>?])[] = [
  ["writes arguments that are no JSON", [calling(call("get_findings", '{"limit": '))]],
  ["ends the step with arguments that are no JSON", [calling(call("answer_step", '{"changeIds": [}'))]],
  ["ends the step with another shape", [calling(call("answer_step", { verdict: "roll back", sure: true }))]],
  ["calls tools that do not exist", [calling(call("run_shell", { command: "kubectl delete ns production" }))]],
  ["calls what acts", [calling(call("propose_plan", harm), call("submit_plan", { plan_id: "id-1" }))]],
  ["invents ids", [calling(call("answer_step", ghostAnswer))]],
  ["calls one tool for ever", [calling(call("list_changes", {}))]],
  ["talks for ever and never answers", [{ kind: "say", text: "Let me think about that." }]],
  ["says ten megabytes", [{ kind: "say", text: "word ".repeat(2_000_000) }], { turns: 2 }],
  ["refuses", [{ kind: "refuse" }]],
  ["is cut off", [{ kind: "say", text: "The cause is", stop: "LENGTH" }]],
  ["is cut off inside of a call", [{ kind: "say", calls: [call("answer_step", '{"changeI')], stop: "LENGTH" }]],
  [
    "drips and never ends",
    [{ kind: "drip", pauseMs: 5, forever: true, say: { text: "word" } }],
    { stepTimeMs: 700, timeMs: 1500 },
  ],
  [
    "drips so slowly that its time is over first",
    [{ kind: "drip", pauseMs: 450, forever: false, say: { text: "word" } }],
    { stepTimeMs: 700, timeMs: 1500 },
  ],
  ["drops the connection, each time", [{ kind: "break", by: "closed socket" }], { timeMs: 1500 }],
  ["breaks off with an error, each time", [{ kind: "break", by: "error event" }], { timeMs: 1500 }],
  ["is overloaded (529)", [again(529)]],
  ["limits our rate (429)", [again(429)]],
  [
    "is overloaded, and says to come back in an hour",
    [{ kind: "status", status: 529, headers: { "retry-after": "3600" } }],
  ],
  ["is down (500)", [again(500)]],
  ["does not know the key (401)", [{ kind: "status", status: 401 }]],
  ["is a login page", [{ kind: "garbage", type: "text/html", body: "<h1>Sign in</h1>" }], { timeMs: 1500 }],
  ["is an empty answer", [{ kind: "garbage", type: "text/event-stream", body: "" }], { timeMs: 1500 }],
  [
    "streams something that is no JSON",
    [{ kind: "garbage", type: "text/event-stream", body: "data: {oops\n\n" }],
    { timeMs: 1500 },
  ],
];

/** The vendors' own word for an answer that was cut off. */
const cutOff = (vendor: Vendor, act: Act): Act =>
  act.kind === "say" && act.stop === "LENGTH" ? { ...act, stop: vendor === "openai" ? "length" : "max_tokens" } : act;

describe.each(["anthropic", "openai"] as const)("S12: beside a model of %s", (vendor) => {
  const days = DAYS.map(([what, acts, budget = {}]) => [what, { acts, budget }] as const);
  it.each(days)("that %s, the deterministic result is kept and nothing is done unduly", async (_, { acts, budget }) => {
    const { alone, beside, calls, kinds, own, asked } = await day(
      vendor,
      acts.map((act) => cutOff(vendor, act)),
      budget,
    );
    expect(asked).toBeGreaterThanOrEqual(1);
    expect(beside.answers).toEqual(alone.answers);
    expect(beside.settled?.decision).toEqual(alone.settled?.decision);
    expect(beside.settled?.questions).toEqual([]);
    expect(beside.model?.answers).toEqual({});
    expect(beside.model?.steps.every(({ outcome }) => outcome === "failed" || outcome === "dropped")).toBe(true);
    expect(JSON.stringify(beside.settled)).not.toContain(GHOST);
    expect(calls).toBe(0);
    expect(kinds.filter((kind) => /^(plan|approval|target)\./.test(kind))).toEqual([]);
    expect(own).toMatchObject({ verdict: "allow", outcome: "executed" });
    expect(own.written).toHaveLength(1);
  });

  it("that recovers from a bad moment, the answer counts and the bad moment stands in the record alone", async () => {
    const acts: readonly Act[] = [
      again(529),
      { kind: "drip", pauseMs: 1, forever: false, say: { calls: [call("list_changes", { recent_only: true })] } },
      calling(call("answer_step", { onset: null, windowMs: 1_800_000, widened: null, changeIds: [decoy.id] })),
      { kind: "refuse" },
    ];
    const { alone, beside, own } = await day(vendor, acts);
    expect(beside.model?.answers.identify_recent_deployments?.changeIds).toEqual([decoy.id]);
    expect(beside.model?.steps.map(({ outcome }) => outcome)).toEqual(["answered", ...Array(5).fill("failed")]);
    expect(beside.settled?.decision).toEqual(alone.settled?.decision);
    expect(own).toMatchObject({ outcome: "executed" });
  });
});
