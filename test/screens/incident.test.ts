import { beforeAll, describe, it } from "vitest";
import { heartbeatText } from "../../agent/cli/heartbeat.ts";
import type { WatchEvent } from "../../agent/watch/events.ts";
import type { Config } from "../../core/config/config.ts";
import { explain } from "../../core/config/explain.ts";
import { waitingPlan } from "../../core/guardrails/incident-text.ts";
import type { Incident } from "../../core/model/incident.ts";
import type { Notice } from "../../core/ports.ts";
import { exampleConfig } from "../../evals/replay/seed-config.ts";
import { createPagerduty } from "../../mcp-tools/connectors/pagerduty/pagerduty.ts";
import { createSlack } from "../../mcp-tools/connectors/slack/slack.ts";
import { fakePagerduty } from "../fakes/fake-pagerduty.ts";
import { BOT_TOKEN, fakeSlack } from "../fakes/fake-slack.ts";
import { ALICE_TOKEN } from "../mcp-tools/gate/gate-world.ts";
import { NOT_REACHED, shows } from "./shown.ts";
import { generated, healed, recorded, type Screen, story, type Told, without } from "./story.ts";

const BUNDLE = recorded("case-7b2f8253");
const ONSET = Date.parse("2026-02-14T13:21:47Z");
const MINUTE = 60_000;

/** What a state is called, and what people see in it; the first time that it is so. */
const screens = new Map<string, string>();
const keep = async (file: string, isSo: boolean, see: () => Promise<string>): Promise<void> => {
  if (isSo && !screens.has(file)) screens.set(file, await see());
};

interface Heard {
  readonly events: WatchEvent[];
  readonly notices: Notice[];
  readonly feet: string[];
}

/** How the foot line changes: each text once, whatever the time and the bar in it are. */
const sameFoot = (text: string): string => text.replace(/^\S+ /, "").replaceAll(/\[.*?\] \S+ of/g, "");

async function told(answers: "approve" | "auto", acts: Told & { readonly each: (at: Screen) => Promise<void> }) {
  const heard: Heard = { events: [], notices: [], feet: [] };
  let last = "";
  await story(
    BUNDLE,
    answers === "auto" ? "nobody is asked" : "nobody answers",
    async (at) => {
      heard.events.push(...at.events);
      heard.notices.push(...at.notices);
      const open = at.incidents.filter(({ stage }) => stage !== "closed");
      const foot = heartbeatText(at.now, open);
      if (sameFoot(foot) !== last) heard.feet.push(foot);
      last = sameFoot(foot);
      await acts.each(at);
    },
    acts,
  );
  return heard;
}

/** A person answers so many evaluations after they were asked: time to read. */
const LATER = 4;

/** The whole life of an incident that a person is asked about, from the first evaluation to its end. */
async function approved(): Promise<Heard> {
  let executedAt: number | null = null;
  let asked = 0;
  let latest: Screen | null = null;
  const isStage = (incidents: readonly Incident[], stage: Incident["stage"]) =>
    incidents.some((one) => one.stage === stage);
  return told("approve", {
    sources: (own) => healed(own, () => (executedAt === null ? null : executedAt + MINUTE), ONSET),
    executors: (own, clock) =>
      own.map((one) => ({
        ...one,
        execute: async (target, key, abort) => {
          executedAt ??= clock.now();
          const during = latest;
          if (during !== null) await keep("status-executing.txt", true, () => during.type("status"));
          return one.execute(target, key, abort);
        },
      })),
    async each(at) {
      latest = at;
      const { incidents, now, type } = at;
      const [one] = incidents;
      await keep("status-nothing-open.txt", one === undefined, () => type("status"));
      if (one === undefined) return;
      const plan = waitingPlan(one, now);
      await keep("status-waits-for-approval.txt", plan !== null, () => type("status"));
      await keep("investigate.txt", plan !== null, () => type("investigate --service inventory"));
      await keep("ack-snooze.txt", plan !== null, async () =>
        [await type(`ack ${one.id} --note "reading the diff"`), await type(`snooze ${one.id} --for 2h`)].join("\n"),
      );
      if (plan !== null && ++asked === LATER) {
        await keep("pause-resume.txt", true, async () =>
          [
            await type("pause --by bob"),
            await type("status"),
            await type("resume"),
            await type("pause inventori"),
            await type("resume search"),
          ].join("\n"),
        );
        await keep("approve.txt", true, async () =>
          [await type(`approve ${plan.id}`), await type(`approve plan-99`)].join("\n"),
        );
        await keep("status-approved.txt", true, () => type("status"));
      }
      await keep("status-verifying.txt", one.recovery?.verdict === "pending", () => type("status"));
      const isClosed = isStage(incidents, "closed");
      await keep("status-recovered.txt", isClosed, () => type("status"));
      await keep("postmortem-errors.md", isClosed, async () =>
        (await type(`postmortem ${one.id}`)).replace(/^.*\n/, ""),
      );
      await keep("audit-verify.txt", isClosed, () => type("audit verify"));
    },
  });
}

describe("what people see of an incident", () => {
  let heard: Heard;
  beforeAll(async () => {
    heard = await approved();
  }, 240_000);

  it.each([
    "status-nothing-open.txt",
    "status-waits-for-approval.txt",
    "status-approved.txt",
    "status-executing.txt",
    "status-verifying.txt",
    "status-recovered.txt",
    "investigate.txt",
    "ack-snooze.txt",
    "pause-resume.txt",
    "approve.txt",
    "postmortem-errors.md",
    "audit-verify.txt",
  ])("%s", async (file) => shows(file, screens.get(file) ?? NOT_REACHED));

  it("watch.txt: a line an event, and the line at its foot", async () => {
    const { watch } = await import("../../agent/cli/watch.ts");
    const { pastComposition } = await import("../evals/lab/past-composition.ts");
    const config: Config = { ...exampleConfig(), mode: "approve", modeIsDefault: false };
    const { composition, printed } = pastComposition(config, { metrics: [] } as never, ONSET);
    const running = {
      close: async () => undefined,
      run: async () => undefined,
    };
    await watch(
      {
        ...composition,
        version: "1.0.0",
        config: async () => ({ config, file: "unship.yaml" }),
        explain: async (config) => explain(config),
        watch: async (_, emit) => {
          for (const event of heard.events) emit(event);
          return running;
        },
      },
      {},
      new AbortController().signal,
    );
    await shows("watch.txt", [`$ unship watch\n${printed.out}`, ["At the foot:", ...heard.feet].join("\n")]);
  });

  it("notices.txt: as Slack shows them, and as PagerDuty does", async () => {
    await using slack = await fakeSlack();
    await using pages = await fakePagerduty(["key"]);
    const chat = createSlack({ api: new URL(slack.api), botToken: BOT_TOKEN, buttons: true });
    const pager = createPagerduty({ api: pages.api, routingKeys: { oncall: "key" } });
    for (const notice of heard.notices) {
      await chat.notifier.notify({ ...notice, to: "slack:#incidents" });
      await pager.notify({ ...notice, to: "pagerduty:oncall" });
    }
    await chat.close();
    await pager.close();
    // biome-ignore lint/suspicious/noExplicitAny: a message as it went over the wire.
    const blocks = (all: readonly any[]) =>
      all.flatMap((one) =>
        one.type === "actions"
          ? // biome-ignore lint/suspicious/noExplicitAny: as above.
            [one.elements.map(({ text }: any) => `[ ${text.text} ]`).join(" ")]
          : [`${one.type === "header" ? "# " : ""}${one.text.text}`],
      );
    await shows("notices.txt", [
      ...slack.messages.map((one) => ["--- Slack", ...blocks(one.blocks)].join("\n")),
      ...[...pages.alerts.values()].map(({ payload }) => {
        const {
          summary,
          severity,
          custom_details: more,
        } = payload as Record<string, string> & {
          readonly custom_details: { readonly incident: string; readonly what: string };
        };
        return [`--- PagerDuty (${severity})`, summary, `incident: ${more.incident}`, more.what].join("\n");
      }),
    ]);
  });
});

describe("what status shows where something is not as it should be", () => {
  /** The status at the first evaluation of which `isSo`. */
  async function statusWhen(isSo: (at: Screen) => boolean, given: Told): Promise<string> {
    let seen: string | null = null;
    await story(
      BUNDLE,
      given.config === undefined ? "nobody answers" : "nobody is asked",
      async (at) => {
        if (seen === null && isSo(at)) seen = await at.type("status");
        for (const one of at.incidents) {
          const plan = waitingPlan(one, at.now);
          if (plan !== null && one.gate !== null)
            await at.gate.approve(plan.id, ALICE_TOKEN, plan.hash).catch(() => null);
        }
      },
      given,
    );
    return seen ?? NOT_REACHED;
  }
  const verdictIs = (verdict: string) => (at: Screen) =>
    at.incidents.some(({ recovery }) => recovery?.verdict === verdict);

  it("status-waits-for-duration.txt", { timeout: 120_000 }, async () => {
    const policies = exampleConfig().policies;
    const text = await statusWhen(({ incidents, now }) => incidents.some((one) => now - one.detectedAt > MINUTE), {
      config: { policies },
    });
    await shows("status-waits-for-duration.txt", text);
  });

  it("status-not-recovered.txt", { timeout: 120_000 }, async () => {
    await shows("status-not-recovered.txt", await statusWhen(verdictIs("not-recovered"), {}));
  });

  it("status-recovery-unknown.txt", { timeout: 120_000 }, async () => {
    let executedAt: number | null = null;
    const text = await statusWhen(({ incidents }) => incidents.some(({ outcome }) => outcome === "unknown"), {
      sources: (own, clock) => without(own, "metrics", () => executedAt, clock),
      executors: (own, clock) =>
        own.map((one) => ({
          ...one,
          execute: async (target, key, abort) => {
            executedAt ??= clock.now() + 30_000;
            return one.execute(target, key, abort);
          },
        })),
    });
    await shows("status-recovery-unknown.txt", text);
  });

  it("status-source-down.txt", { timeout: 120_000 }, async () => {
    const text = await statusWhen(({ incidents, now }) => incidents.some((one) => now - one.detectedAt > MINUTE), {
      sources: (own, clock) => without(own, "changes", () => ONSET - MINUTE, clock),
    });
    await shows("status-source-down.txt", text);
  });

  it("status-no-watch.txt: nobody is at work", { timeout: 120_000 }, async () => {
    await shows("status-no-watch.txt", await statusWhen(() => true, { watched: false }));
  });

  it("status-several-open.txt", { timeout: 240_000 }, async () => {
    let seen = NOT_REACHED;
    await generated("failing-caller", 1, (folder) =>
      story(folder, "nobody answers", async ({ incidents, type }) => {
        const open = incidents.filter(({ stage }) => stage !== "closed");
        if (seen === NOT_REACHED && open.length > 1) seen = await type("status");
      }),
    );
    await shows("status-several-open.txt", seen);
  });
});
