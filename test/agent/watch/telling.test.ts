import { describe, expect, it } from "vitest";
import type { WatchParts } from "../../../agent/watch/ports.ts";
import { MINUTE, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { openWatchWorld, STEP_MS } from "./watch-world.ts";

const HALF_HOUR = (30 * MINUTE) / STEP_MS;
const never = () => new Promise<never>(() => undefined);

describe("people are told, once, when nothing will be done by itself", () => {
  it.each([
    [
      "no change is the culprit while a policy's condition fires",
      { action: "no_action", culprit: null, noChangeProbability: 0.95 },
      "No change is the culprit",
    ],
    [
      "no known change explains it while a source of changes does not answer",
      {
        action: "no_action",
        culprit: null,
        noChangeProbability: 0.95,
        unheard: ["it has not answered"],
      },
      "Whether a change did it is not known, and nothing is undone: needs a person to investigate. kubernetes did not say changes: it has not answered.",
    ],
    [
      "the change cannot be rolled back safely",
      { action: "hotfix_recommendation", needsPerson: ["it dropped a column that the older version reads"] },
      "A person must fix this: deploy-checkout cannot be rolled back safely: it dropped a column that the older version reads.",
    ],
    ["the change is known but nothing here can take it back", { targets: [] }, "cannot be undone from here"],
    [
      "a policy's condition fires and no change is sure enough to be undone",
      { action: "no_action", culprit: { changeId: "deploy-checkout", probability: 0.6 }, noChangeProbability: 0.3 },
      "no change is sure enough",
    ],
  ] as const)("when %s", async (_, change, said) => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble(change)];
    await world.step(HALF_HOUR);
    expect(world.targets.calls()).toEqual([]);
    expect(world.texts("incident.escalated")).toEqual([expect.stringContaining(said)]);
    expect(world.notices.map(({ to }) => to)).toEqual(["slack:#incidents"]);
    const kinds = await world.kinds();
    expect(kinds.filter((kind) => kind === "notice.sent")).toHaveLength(1);
  });

  it.each([
    ["a source that goes and comes", false],
    ["a source in whose absence more breaks", true],
  ])(
    "once it answers again, what %s says of a change is told after that it was not known, and once",
    async (_, more) => {
      await using world = await openWatchWorld();
      const answering = world.trouble({ action: "no_action", culprit: null, noChangeProbability: 0.95 });
      const unheard = ["it has not answered"];
      const spread = { ...answering, services: ["cart", "checkout"], since: world.time.now + HALF_HOUR * STEP_MS };
      for (const [troubles, looks] of [
        [[{ ...answering, unheard }], HALF_HOUR],
        [
          more
            ? [
                { ...spread, unheard },
                { ...answering, unheard },
              ]
            : [{ ...answering, unheard }],
          HALF_HOUR,
        ],
        [more ? [spread, answering] : [answering], 3],
        [[{ ...answering, unheard }], 3],
        [[answering], 3],
      ] as const) {
        world.troubles = [...troubles];
        await world.step(looks);
      }
      const unknown = expect.stringContaining("Whether a change did it is not known");
      expect(world.texts("incident.escalated")).toEqual([
        unknown,
        ...(more ? [expect.stringContaining("New since then: error_rate of cart")] : []),
        expect.stringContaining("No change is the culprit"),
      ]);
    },
  );

  it("a source that answers again after the policy's condition has ended is no decision of each look", async () => {
    await using world = await openWatchWorld();
    const answering = world.trouble({ action: "no_action", culprit: null, noChangeProbability: 0.95 });
    world.troubles = [{ ...answering, unheard: ["it has not answered"] }];
    await world.step(HALF_HOUR);
    const before = world.texts("incident.decided").length;
    world.troubles = [{ ...answering, condition: "none" }];
    await world.step(6);
    expect(world.texts("incident.decided").length - before).toBeLessThanOrEqual(1);
  });

  it("a decision that comes and goes is not told again each time", async () => {
    await using world = await openWatchWorld();
    const firing = world.trouble({ action: "no_action", culprit: null, noChangeProbability: 0.95 });
    for (let turn = 0; turn < 4; turn += 1) {
      world.troubles = [firing];
      await world.step(2);
      world.troubles = [{ ...firing, condition: "none" }];
      await world.step(2);
    }
    expect(world.texts("incident.escalated")).toHaveLength(1);
  });

  const blameless = { action: "no_action", culprit: null, noChangeProbability: 0.95 } as const;

  it("trouble that begins within an incident of which they know is told as well, once", async () => {
    await using world = await openWatchWorld();
    const known = world.trouble(blameless);
    world.troubles = [known];
    await world.step(HALF_HOUR);
    world.troubles = [world.trouble({ ...blameless, services: ["cart", "checkout"], since: world.time.now }), known];
    await world.step(HALF_HOUR);
    expect(world.texts("incident.detected")).toHaveLength(1);
    expect(world.texts("incident.escalated")).toEqual([
      expect.not.stringContaining("New since then"),
      expect.stringContaining("New since then: error_rate of cart."),
    ]);
    expect(world.notices).toHaveLength(2);
  });

  it("trouble that ends and begins anew by the same condition is not told again", async () => {
    await using world = await openWatchWorld();
    for (let turn = 0; turn < 4; turn += 1) {
      world.troubles = [world.trouble({ ...blameless, since: world.time.now })];
      await world.step(4);
      world.troubles = [];
      await world.step(4);
    }
    expect(world.texts("incident.detected")).toHaveLength(1);
    expect(world.texts("incident.escalated")).toHaveLength(1);
  });

  it("a likely culprit that is left alone for people to weigh is told of, with no policy's condition as well", async () => {
    await using world = await openWatchWorld();
    const needsPerson = ["whether deploy-checkout is rolled back needs a person"];
    world.troubles = [world.trouble({ action: "no_action", condition: "none", needsPerson })];
    await world.step(MINUTE / STEP_MS);
    expect(world.notices).toEqual([]); // it may pass
    await world.step(HALF_HOUR);
    expect(world.texts("incident.escalated")).toEqual([expect.stringContaining("is rolled back needs a person")]);
  });

  it("trouble without a policy's condition is watched and recorded, and wakes nobody", async () => {
    await using world = await openWatchWorld();
    world.troubles = [
      world.trouble({ condition: "none", action: "no_action", culprit: null, noChangeProbability: 0.95 }),
    ];
    await world.step(HALF_HOUR);
    expect(world.notices).toEqual([]);
    expect((await world.incident()).decision?.action).toBe("no_action");
  });

  it("what could not be delivered stands in the ledger and is said", async () => {
    await using world = await openWatchWorld({
      parts: {
        notifier: {
          notify: async () => {
            throw new Error("the chat is down");
          },
        },
      },
    });
    world.troubles = [world.trouble({ action: "hotfix_recommendation" })];
    await world.step();
    expect(await world.kinds()).toContain("notice.undelivered");
    expect(world.texts("notice.undelivered").join()).toContain("the chat is down");
  });
});

describe("a helper that fails changes nothing and is said", () => {
  it("S12: a chain that disagrees is recorded, and the core's decision is executed all the same", async () => {
    await using world = await openWatchWorld({
      parts: {
        reason: async () => ({
          decision: null,
          agrees: false,
          summary: "no_action: the model says the deploy is innocent",
          body: { says: "ignore the deploy" },
          usage: { inputTokens: 10, outputTokens: 5, toolCalls: 2 },
          questions: [],
        }),
      },
    });
    world.troubles = [world.trouble()];
    await world.step();
    expect(world.targets.writes()).toHaveLength(1);
    const incident = await world.incident();
    expect(incident.timeline.map(({ event }) => event)).toContain("chain disagrees");
    expect(incident.usage).toEqual({ inputTokens: 10, outputTokens: 5, toolCalls: 2 });
    const [entry] = await world.store.entries({ kinds: ["chain.finished"] });
    expect(entry?.body).toEqual({ says: "ignore the deploy" });
  });

  it("a chain without a model claims no agreement: the core would only agree with itself", async () => {
    const usage = { inputTokens: 0, outputTokens: 0, toolCalls: 6 };
    const record = { decision: null, agrees: null, summary: "rollback", body: {}, usage, questions: [] };
    await using world = await openWatchWorld({ parts: { reason: async () => record } });
    world.troubles = [world.trouble()];
    await world.step();
    const events = (await world.incident()).timeline.map(({ event }) => event);
    expect(events).toContain("chain ran without a model");
    expect(events.join()).not.toContain("agrees");
  });

  it("S12: a model's doubt becomes a question to people, and holds nothing", async () => {
    const usage = { inputTokens: 9, outputTokens: 1, toolCalls: 0 };
    const questions = ["the model finds flag-7 more likely than deploy-1"];
    const record = { decision: null, agrees: false, summary: "doubts", body: {}, usage, questions };
    await using world = await openWatchWorld({ parts: { reason: async () => record } });
    world.troubles = [world.trouble()];
    await world.step();
    expect(world.targets.writes()).toHaveLength(1);
    expect(JSON.stringify((await world.incident()).timeline)).toContain("flag-7 more likely");
    expect(await world.kinds()).toContain("notice.sent");
  });

  it("S12: a chain that throws is said, and the action is not delayed by a tick", async () => {
    await using world = await openWatchWorld({
      parts: {
        reason: async () => {
          throw new Error("the model is down");
        },
      },
    });
    world.troubles = [world.trouble()];
    await world.step();
    expect(world.targets.writes()).toHaveLength(1);
    await world.step(2);
    expect((await world.incident()).stage).toBe("verifying");
    expect(world.texts("tick.failed").join()).toContain("the model is down");
  });

  it("S12: the action is executed before the chain is even asked", async () => {
    const writesWhenAsked: number[] = [];
    await using world = await openWatchWorld({
      parts: {
        reason: async () => {
          writesWhenAsked.push(world.targets.writes().length);
          return {
            decision: null,
            agrees: true,
            summary: "",
            body: {},
            usage: { inputTokens: 0, outputTokens: 0, toolCalls: 0 },
            questions: [],
          };
        },
      },
    });
    world.troubles = [world.trouble()];
    await world.step();
    expect(writesWhenAsked).toEqual([1]);
  });

  it("S12: a chain that is slow holds up no tick; its answer is written down when it comes", async () => {
    const answer = Promise.withResolvers<Awaited<ReturnType<WatchParts["reason"]>>>();
    await using world = await openWatchWorld({ parts: { reason: () => answer.promise, chainPatienceMs: 1 } });
    world.targets.place(targetOf({ name: "cart" }));
    world.troubles = [world.trouble()];
    await world.step();
    world.troubles = [world.trouble(), world.trouble({}, targetOf({ name: "cart" }))];
    await world.step();
    expect(world.targets.writes()).toHaveLength(2);
    expect(await world.kinds()).not.toContain("chain.finished");
    answer.resolve({
      decision: null,
      agrees: false,
      summary: "innocent",
      body: {},
      usage: { inputTokens: 3, outputTokens: 0, toolCalls: 0 },
      questions: [],
    });
    await world.step();
    for (const { timeline, usage } of await world.incidents()) {
      expect(timeline.map(({ event }) => event)).toContain("chain disagrees");
      expect(usage.inputTokens).toBe(3);
    }
  });

  it("S12: a chain that answers after its incident was closed is recorded all the same", async () => {
    const answer = Promise.withResolvers<Awaited<ReturnType<WatchParts["reason"]>>>();
    await using world = await openWatchWorld({ parts: { reason: () => answer.promise, chainPatienceMs: 1 } });
    world.troubles = [world.trouble()];
    await world.step();
    world.recovery = "recovered";
    await world.step();
    const closed = await world.incident();
    answer.resolve({
      decision: null,
      agrees: true,
      summary: "",
      body: { late: true },
      usage: { inputTokens: 3, outputTokens: 0, toolCalls: 0 },
      questions: [],
    });
    world.troubles = [world.trouble({ condition: "none", action: "no_action", services: ["search"] })];
    await world.step();
    const [entry] = await world.store.entries({ kinds: ["chain.finished"] });
    expect(entry).toMatchObject({ incidentId: closed.id, body: { late: true } });
    expect(await world.store.incident(closed.id)).toEqual(closed);
  });

  it.each([
    [
      "the memory",
      {
        store: {
          remember: async () => {
            throw new Error("disk full");
          },
          recall: async () => [],
          rebuild: async () => undefined,
          close: async () => undefined,
        },
      },
    ],
    [
      "the postmortem",
      {
        postmortem: async () => {
          throw new Error("disk full");
        },
      },
    ],
  ])("%s: the incident is closed as it is, and the rest is done on the next start", async (_, parts) => {
    await using world = await openWatchWorld({ parts });
    world.troubles = [world.trouble()];
    await world.step();
    world.recovery = "recovered";
    world.troubles = [];
    await world.step();
    expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "recovered" });
    expect(world.texts("tick.failed").join()).toContain("disk full");
    expect(await world.kinds()).not.toContain("incident.finished");
    const done: string[] = [];
    await world.restart({
      store: {
        remember: async ({ id }) => void done.push(`remembered ${id}`),
        recall: async () => [],
        rebuild: async () => undefined,
        close: async () => undefined,
      },
      postmortem: async ({ id }) => {
        done.push(`drafted ${id}`);
        return "/draft.md";
      },
    });
    const { id } = await world.incident();
    expect(done).toEqual([`remembered ${id}`, `drafted ${id}`]);
    expect((await world.kinds()).filter((kind) => kind === "incident.finished")).toHaveLength(1);
  });

  it("a notifier that hangs is given up on, and the incident goes on", async () => {
    await using world = await openWatchWorld({ parts: { notifier: { notify: never }, noticeTimeoutMs: 20 } });
    world.troubles = [world.trouble({ action: "hotfix_recommendation" })];
    await world.step();
    expect(world.texts("notice.undelivered")).toHaveLength(1);
    expect((await world.incident()).stage).toBe("investigated");
  });

  it("one incident that fails leaves the others alone", async () => {
    await using world = await openWatchWorld();
    const pending = { condition: "pending", firesAt: world.time.now + 5 * MINUTE } as const;
    world.troubles = [
      world.trouble({ ...pending, services: ["search"], targets: [], action: "no_action" }),
      world.trouble(pending),
    ];
    await world.step();
    const { assess } = world;
    world.assess = (file, focus) => {
      if (focus?.includes("search") === true) throw new Error("odd evidence");
      return assess(file, focus);
    };
    world.troubles = [world.troubles[0] ?? world.trouble(), world.trouble()];
    await world.step();
    expect(world.targets.writes()).toHaveLength(1);
    expect(world.texts("tick.failed").join()).toContain("odd evidence");
  });
});
