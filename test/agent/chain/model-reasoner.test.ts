import { describe, expect, it } from "vitest";
import { linkTools } from "../../../agent/chain/mcp-client.ts";
import { modelReasoner } from "../../../agent/chain/model-reasoner.ts";
import { runChain } from "../../../agent/chain/runner.ts";
import { scriptedModel, type Turn } from "../../../agent/models/scripted.ts";
import type { Config } from "../../../core/config/config.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import { byTheBook, lastResult, type Script, stepOf } from "../../../evals/reasoner/by-the-book.ts";
import { createServer } from "../../../mcp-tools/server.ts";
import {
  caseFile,
  chainOf,
  config,
  context,
  decoy,
  deploy,
  NOW,
  recordingGate,
  SIX,
} from "../../mcp-tools/scenario.ts";

const held = recordingGate({ verdict: "require_approval", rules: [] });

async function chain(
  script: Script,
  over: Partial<Config> = {},
  file: CaseFile = caseFile(),
  modelAbort?: AbortSignal,
) {
  const settings = config(over);
  const server = createServer(context({ config: settings, caseFile: async () => file, gate: held.gate }));
  const tools = await linkTools(server.connect);
  const model = scriptedModel(script);
  const events: string[] = [];
  try {
    const result = await runChain({
      tools,
      config: settings,
      reasoner: modelReasoner(model),
      now: () => NOW,
      onDeterministic: () => events.push(`core done, model asked ${model.requests.length} times`),
      ...(modelAbort === undefined ? {} : { modelAbort }),
    });
    return { result, model, events };
  } finally {
    await tools.close();
  }
}

describe("a model beside the core", () => {
  it("that reads the same finds the same, and its cost stands in the record", async () => {
    const { result, model } = await chain(byTheBook());
    expect(result.model?.steps.map(({ step, outcome }) => [step, outcome])).toEqual(
      SIX.map((step) => [step, "answered"]),
    );
    expect(result.comparison.every(({ agree }) => agree)).toBe(true);
    expect(result.settled).toMatchObject({ opinions: ["the model agrees"], questions: [] });
    expect(result.usage.inputTokens + result.usage.outputTokens).toBeGreaterThan(0);
    expect(result.usage.inputTokens + result.usage.outputTokens).toBeLessThanOrEqual(20_000);
    expect(model.requests).toHaveLength(12);
  });

  it("is asked only when the core is done", async () => {
    expect((await chain(byTheBook())).events).toEqual(["core done, model asked 0 times"]);
  });

  it("is offered the step's reading tools and no other, and gets an error for any other", async () => {
    const { result, model } = await chain((request) =>
      lastResult(request) === null
        ? {
            calls: [
              {
                name: "propose_plan",
                args: { incident: "x", change_ids: [deploy.id], reason: "because I say so, now" },
              },
            ],
          }
        : { calls: [{ name: "submit_plan", args: { plan_id: "plan-1" } }] },
    );
    expect(model.requests.flatMap(({ tools }) => tools.map(({ name }) => name))).not.toContain("propose_plan");
    const calls = result.model?.steps.flatMap((step) => step.calls) ?? [];
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.every(({ isError }) => isError)).toBe(true);
    expect([held.proposed, held.submitted]).toEqual([[], []]);
  });

  it("may mend a claim that was refused", async () => {
    const { result } = await chain(
      byTheBook((step, answer, attempt) =>
        step === "identify_recent_deployments" && attempt === 1
          ? { ...(answer as object), changeIds: ["deploy-invented-9"] }
          : answer,
      ),
    );
    expect(result.model?.steps[0]).toMatchObject({
      outcome: "answered",
      refused: ['no tool result names the change "deploy-invented-9"'],
    });
  });

  it.each<[string, step: string, twist: (answer: never) => unknown, why: RegExp]>([
    [
      "an invented change",
      "correlate_timing",
      ({ ranking, ...rest }: { ranking: { candidates: object[] } }) => ({
        ...rest,
        ranking: { ...ranking, candidates: ranking.candidates.map((one) => ({ ...one, changeId: "deploy-x" })) },
      }),
      /names the change "deploy-x"/,
    ],
    [
      "an invented service",
      "check_affected_services",
      () => ({ services: ["checkout", "warehouse"], origin: "checkout" }),
      /names the service "warehouse"/,
    ],
    [
      "an invented figure",
      "evaluate_business_impact",
      ({ impact }: { impact: object }) => ({ impact: { ...impact, revenuePerMinute: 48_000 } }),
      /has the figure 48000/,
    ],
    [
      "an invented figure in a sentence",
      "recommend_action",
      ({ decision }: { decision: object }) => ({ decision: { ...decision, why: ["99.7 % of 12,345 users are hurt"] } }),
      /has the figure/,
    ],
    ["no schema", "check_dependency_graph", () => ({ order: "all of them" }), /order/],
  ])("has %s dropped after one refusal, and the core's answer stands", async (_, step, twist, why) => {
    const { result } = await chain(byTheBook((at, answer) => (at === step ? twist(answer as never) : answer)));
    const record = result.model?.steps.find((one) => one.step === step);
    expect(record?.outcome).toBe("dropped");
    expect(record?.refused.join("\n")).toMatch(why);
    expect(result.model?.answers).not.toHaveProperty(step);
    expect(result.settled?.decision).toEqual(result.answers.recommend_action?.decision);
  });

  it.each<[string, Script]>([
    ["is down", () => ({ fail: "529 overloaded" })],
    ["refuses", () => ({ text: "I cannot help with that.", stop: "refused" })],
    ["is cut off", () => ({ text: "The cause is", stop: "length" })],
    ["rambles and never answers", () => ({ text: "Let me think about that." })],
    [
      "calls tools that do not exist, for ever",
      () => ({ calls: [{ name: "run_shell", args: { command: "rm -rf /" } }] }),
    ],
    ["writes arguments that are no JSON", () => ({ calls: [{ name: "get_findings", args: null }] })],
    ["answers with rubbish", () => ({ calls: [{ name: "answer_step", args: null }] })],
  ])("changes nothing when it %s", async (_, script) => {
    const { result } = await chain(script);
    const alone = await chain(() => ({ fail: "absent" }));
    expect(result.answers).toEqual(alone.result.answers);
    expect(result.settled).toMatchObject({ questions: [] });
    expect(result.settled?.decision).toEqual(result.answers.recommend_action?.decision);
    expect(result.model?.steps.every(({ outcome }) => outcome === "failed" || outcome === "dropped")).toBe(true);
  });

  it("that hangs is left behind at its deadline, and the deterministic result is kept", async () => {
    const deadline = new AbortController();
    const never = new Promise<Turn>(() => undefined);
    const { result } = await chain(
      () => {
        queueMicrotask(() => deadline.abort());
        return never;
      },
      {},
      caseFile(),
      deadline.signal,
    );
    expect(result.model?.steps.map(({ outcome }) => outcome)).toEqual(SIX.map(() => "failed"));
    expect(result.model?.steps[0]?.because).toContain("its time was up");
    expect(result.settled?.decision.action).toBe("rollback");
  });

  it("answers a custom step, with one of three certainties", async () => {
    const script = byTheBook();
    const { result } = await chain(
      (request, turn) =>
        stepOf(request) !== "ask_the_oracle"
          ? script(request, turn)
          : lastResult(request) === null
            ? { calls: [{ name: "get_findings", args: {} }] }
            : {
                calls: [
                  {
                    name: "answer_step",
                    args: { certainty: "LIKELY", answer: "checkout fails at 31 %.", services: ["checkout"] },
                  },
                ],
              },
      { chain: chainOf(["ask_the_oracle", ...SIX]) },
    );
    expect(result.model?.custom).toMatchObject({ ask_the_oracle: { certainty: "LIKELY" } });
    expect(result.deterministic.custom).toEqual({});
  });
});

describe("a model that disagrees", () => {
  const innocent = byTheBook((step, answer) =>
    step === "recommend_action"
      ? {
          decision: {
            ...(answer as { decision: object }).decision,
            action: "rollback",
            changeIds: [decoy.id],
            culprit: { changeId: decoy.id, probability: 0.01 },
          },
        }
      : answer,
  );

  it("changes nothing where an automatic condition holds and the core is sure", async () => {
    const { result } = await chain(innocent);
    expect(result.settled?.decision).toEqual(result.answers.recommend_action?.decision);
    expect(result.settled?.opinions).toEqual([`the model would choose rollback of ${decoy.id} instead of rollback`]);
    expect(result.settled?.questions).toEqual([]);
  });

  it("holds only where the file lets it, and then a person is asked", async () => {
    const model = {
      provider: "anthropic",
      model: "x",
      baseUrl: null,
      apiKey: null,
      mayHold: true,
      mayReadCode: false,
      budget: { tokens: 60_000, turns: 40, timeMs: 90_000, stepTimeMs: 30_000, cost: null },
      prices: null,
    } as const;
    const { result } = await chain(innocent, { model });
    expect(result.settled?.decision).toMatchObject({ action: "rollback", changeIds: [deploy.id] });
    expect(result.settled?.decision.needsPerson).toHaveLength(1);
  });

  it("that wishes for more than the core supports leads to a question, never to an act", async () => {
    const { result } = await chain(innocent, {}, caseFile({ changes: [decoy] }));
    expect(result.answers.recommend_action?.decision.action).toBe("no_action");
    expect(result.settled?.decision).toMatchObject({ action: "no_action", changeIds: [] });
    expect(result.settled?.questions).toHaveLength(1);
  });
});
