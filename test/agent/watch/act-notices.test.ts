import { describe, expect, it } from "vitest";
import { openChannels } from "../../../agent/compose/notifier.ts";
import { MAY_BE_SECOND } from "../../../core/guardrails/act-notice.ts";
import type { GateStore } from "../../../core/guardrails/gate-store.ts";
import type { Ledger, Notice, Notifier } from "../../../core/ports.ts";
import { testConfig } from "../../core/assessment/config.ts";
import { changeOf, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { fakePagerduty } from "../../fakes/fake-pagerduty.ts";
import { BOT_TOKEN, fakeSlack } from "../../fakes/fake-slack.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { MESSAGE, openWatchWorld, STEP_MS, type WatchWorld, type WorldOptions } from "./watch-world.ts";

const KEY = "e93facc04764012d7bfb002500d5d1a6";
const SLACK = "slack:#incidents";
const PAGER = "pagerduty:oncall";

/** How the act came to be: by itself, by a person's approval, or by itself while a model says something else. */
const WAYS = { auto: "without a person", approved: "approved by alice", argued: "without a person" } as const;
type Way = keyof typeof WAYS;
/** How it ended, and what the headline of that says. */
const ENDS = {
  recovered: "Recovered 30s after it was executed.",
  "not-recovered": MESSAGE,
  unknown: "Whether it recovered is not known",
  overtaken: "Changed again by somebody else: newer by ana put v3 in the place of v1 of checkout",
} as const;
type End = keyof typeof ENDS;
const RECIPIENTS = { slack: [SLACK], pagerduty: [PAGER], both: [SLACK, PAGER], none: [] } as const;
type To = keyof typeof RECIPIENTS;

const OTHER_OPINION = {
  decision: null,
  agrees: false,
  summary: "the model suspects a flag",
  body: {},
  usage: { inputTokens: 1, outputTokens: 1, toolCalls: 1 },
  questions: [],
};

const worldOf = (way: Way, to: To, more: WorldOptions = {}) =>
  openWatchWorld({
    notifiesActs: true,
    ...more,
    config: { policies: policyOf().policies.map((one) => ({ ...one, notification: RECIPIENTS[to] })) },
    parts: way === "argued" ? { reason: async () => OTHER_OPINION } : {},
  });

/** Plays one act and its end, evaluation by evaluation. `between` comes after each. */
async function play(world: WatchWorld, way: Way, end: End, between: () => Promise<void> = async () => undefined) {
  const step = async (count = 1) => {
    for (let index = 0; index < count; index += 1) {
      // A process that was killed in the middle of it is started anew by `between`.
      await world.step().catch(() => undefined);
      await between();
    }
  };
  const until = async (isThere: () => Promise<boolean>) => {
    for (let index = 0; index < 20 && !(await isThere().catch(() => false)); index += 1) await step();
  };
  world.troubles = [
    world.trouble(way === "approved" ? { policy: "human_review", needsPerson: ["no policy acts"] } : {}),
  ];
  await until(async () => (await world.incident()).stage === (way === "approved" ? "waiting-approval" : "verifying"));
  if (way === "approved") {
    await world.gate.approve((await world.incident()).plan?.id ?? "", ALICE_TOKEN);
    await between();
  }
  await until(async () => (await world.incident()).stage === "verifying");
  await step();
  if (end === "overtaken") {
    const at = world.time.now + 5000;
    const scripted = world.gather;
    world.gather = async (now) => {
      const known = await scripted(now);
      const newer = changeOf(targetOf(), { id: "newer", from: "v1", to: "v3", startedAt: at, author: "ana" });
      return { ...known, changes: [...known.changes, { ...newer, finishedAt: null }] };
    };
  } else world.recovery = end;
  if (end !== "not-recovered") world.troubles = [];
  await step(6);
}

/** Slack and PagerDuty over real sockets, and the notifier of a daemon over both. */
async function openPeople() {
  const [slack, pager] = await Promise.all([fakeSlack(), fakePagerduty([KEY])]);
  const channels = await openChannels(
    {
      ...testConfig({}),
      notifications: {
        slack: { apiUrl: slack.api, botToken: { from: "text", value: BOT_TOKEN }, signingSecret: null, team: null },
        pagerduty: { apiUrl: pager.api.href, routingKeys: { oncall: { from: "text", value: KEY } } },
      },
    },
    {},
  );
  return {
    slack,
    pager,
    notifier: channels.notifier,
    async [Symbol.asyncDispose]() {
      await channels.close();
      await slack[Symbol.asyncDispose]();
      await pager[Symbol.asyncDispose]();
    },
  };
}

const table = (Object.keys(WAYS) as Way[]).flatMap((way) =>
  (Object.keys(ENDS) as End[]).flatMap((end) => (Object.keys(RECIPIENTS) as To[]).map((to) => [way, end, to] as const)),
);

describe("people hear of an act and of its end, each once", () => {
  it.each(table)("%s, %s, to %s", async (way, end, to) => {
    await using people = await openPeople();
    await using world = await worldOf(way, to, { notifier: people.notifier });
    await play(world, way, end);
    expect(world.targets.writes()).toHaveLength(1);
    const { outcome } = await world.incident();
    expect(outcome).toBe(end === "overtaken" ? "superseded" : end);

    const names: readonly string[] = RECIPIENTS[to];
    const texts = people.slack.messages.map(({ text }) => text.replaceAll("&gt;", ">"));
    const held = way === "approved" ? ["Rollback of checkout needs a person"] : [];
    const said = [...held, `Rollback of checkout executed, ${WAYS[way]}`, expect.stringContaining(ENDS[end])];
    expect(texts).toEqual(names.includes(SLACK) ? said : []);
    const acted = people.slack.messages.find(({ text }) => text.includes("executed, "));
    if (acted !== undefined) {
      const read = JSON.stringify(acted.blocks);
      expect(read).toContain("Deployment production/checkout: v2 → v1");
      expect(read).toContain("Why: ");
    }

    // A pager is alerted as before: of what waits, and of what is not known to have helped. What recovered is resolved by the same keys.
    const triggered = people.pager.events.filter(({ action }) => action === "trigger").map(({ key }) => key);
    const resolved = people.pager.events.filter(({ action }) => action === "resolve").map(({ key }) => key);
    const pages = (way === "approved" ? 1 : 0) + (end === "not-recovered" || end === "unknown" ? 1 : 0);
    expect(triggered).toHaveLength(names.includes(PAGER) ? pages : 0);
    expect(resolved).toEqual(end === "recovered" ? triggered : []);
    expect(people.pager.open.size).toBe(end === "recovered" ? 0 : triggered.length);

    // Nothing more is sent, however often everything is started anew, and once what is degraded still ends, too.
    const before = [texts.length, people.pager.events.length];
    await world.restart();
    world.troubles = [];
    await world.step(30);
    expect((await world.incident()).stage).toBe("closed");
    expect([people.slack.messages.length, people.pager.events.length]).toEqual(before);
    if (to === "none") expect((await world.kinds()).filter((kind) => kind.startsWith("notice."))).toEqual([]);
  });

  it("nothing changes where a gate notifies of no acts, as in a replay", async () => {
    await using world = await worldOf("auto", "both", { notifiesActs: false });
    await play(world, "auto", "recovered");
    expect(world.notices).toEqual([]);
    expect((await world.kinds()).filter((kind) => kind.startsWith("notice."))).toEqual([]);
  });

  it("says what people were notified of before, such as that nothing would be rolled back", async () => {
    await using world = await worldOf("auto", "slack");
    world.troubles = [world.trouble({ action: "no_action", culprit: null, noChangeProbability: 0.95, targets: [] })];
    await world.step(12);
    world.troubles = [world.trouble()];
    await world.step();
    expect(world.notices.map(({ title }) => title)).toEqual([
      expect.stringContaining("No change is the culprit"),
      "Rollback of checkout executed, without a person",
    ]);
    expect(world.notices[1]?.lines).toContainEqual(
      expect.stringMatching(/^Sent before this was executed: No change is/),
    );
  });

  it("a chat that hangs or fails stops neither the act nor its verification", async () => {
    for (const notify of [() => Promise.reject(new Error("down")), () => new Promise<never>(() => undefined)]) {
      await using world = await openWatchWorld({
        notifiesActs: true,
        notifier: { notify },
        parts: { noticeTimeoutMs: 10 },
        gateLimits: { noticeTimeoutMs: 10 },
      });
      await play(world, "auto", "recovered");
      expect(await world.incident()).toMatchObject({ stage: "closed", outcome: "recovered" });
      const entries = await world.store.entries({ kinds: ["notice.undelivered"] });
      expect(entries.map(({ body }) => body)).toMatchObject([{ about: "acted" }, { about: "ended" }]);
    }
  });
});

/** A process that dies at its n-th step of notifying: what it does of that from then on fails, until it is started anew. */
class Mortal {
  steps = 0;
  dead = false;
  readonly #diesAt: number;
  readonly received: Notice[] = [];
  constructor(diesAt: number) {
    this.#diesAt = diesAt;
  }
  #live(counts: boolean): void {
    if (counts && this.steps++ === this.#diesAt) this.dead = true;
    if (this.dead) throw new Error("killed");
  }
  readonly notifier: Notifier = {
    notify: async (notice) => {
      this.#live(true);
      this.received.push(notice);
      // Between the arrival of a message and its answer, too.
      this.#live(true);
      return { delivered: true, detail: "kept" };
    },
  };
  /** Only a whole process can die: everything that it writes fails from then on. */
  readonly ledgerOf = (store: Ledger & GateStore): Ledger & GateStore => ({
    ...store,
    append: async (draft) => {
      this.#live(true);
      return store.append(draft);
    },
    saveIncident: async (incident) => {
      this.#live(true);
      return store.saveIncident(incident);
    },
    transact: async (work) => {
      this.#live(true);
      const done = await store.transact(work);
      this.#live(true);
      return done;
    },
  });
}

describe("S5: an act and its end are notified once, wherever the process is stopped", () => {
  const cases = (["recovered", "not-recovered", "overtaken"] as const).map((end) => [end] as const);

  it.each(cases)("an act that ended %s", async (end) => {
    let counted = Number.POSITIVE_INFINITY;
    let doubted = 0;
    for (let diesAt = 0; diesAt <= counted; diesAt += 1) {
      const mortal = new Mortal(diesAt);
      await using world = await worldOf("auto", "slack", { notifier: mortal.notifier, ledgerOf: mortal.ledgerOf });
      await play(world, "auto", end, async () => {
        if (!mortal.dead) return;
        mortal.dead = false;
        await world.restart();
      });
      await world.step((2 * 60_000) / STEP_MS);
      counted = Math.min(counted, diesAt === 0 ? Number.POSITIVE_INFINITY : mortal.steps);
      const { received } = mortal;
      for (const about of ["executed, without a person", ENDS[end]]) {
        const [first, second, ...more] = received.filter(({ title }) => title.includes(about.split(" 30s")[0] ?? ""));
        expect(first, `${about}, stopped at ${diesAt}`).toBeDefined();
        expect(more).toEqual([]);
        // Only a message that may have arrived, as nobody can tell, comes again, and says so.
        if (second !== undefined) {
          doubted += 1;
          expect(second.lines).toContain(MAY_BE_SECOND);
        }
      }
      expect(world.targets.writes()).toHaveLength(1);
      if (mortal.steps > 400) throw new Error("it does not end");
    }
    // The two moments between a message's arrival and the record of it.
    expect(doubted).toBe(4);
  });
});
