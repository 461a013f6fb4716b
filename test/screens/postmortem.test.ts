import { describe, it } from "vitest";
import { waitingPlan } from "../../core/guardrails/incident-text.ts";
import type { Change } from "../../core/model/change.ts";
import { ALICE_TOKEN } from "../mcp-tools/gate/gate-world.ts";
import { NOT_REACHED, shows } from "./shown.ts";
import { generated, healed, recorded, story, type Told } from "./story.ts";

const MINUTE = 60_000;

/** The draft of the first incident once it is closed, or at the end of the bundle; each plan that waits is approved. */
async function draftOf(directory: string, given: Told = {}, answered = true): Promise<string> {
  let draft = NOT_REACHED;
  let closed = false;
  await story(
    directory,
    "nobody answers",
    async ({ incidents, now, gate, type }) => {
      const one = incidents.at(-1);
      if (one === undefined || closed) return;
      closed = one.stage === "closed";
      const plan = waitingPlan(one, now);
      if (plan !== null && answered) await gate.approve(plan.id, ALICE_TOKEN, plan.hash).catch(() => null);
      if (closed || now % (10 * MINUTE) < 15_000) draft = (await type(`postmortem ${one.id}`)).replace(/^.*\n/, "");
    },
    given,
  );
  return draft;
}

/** A story in which everything is well again a minute after the act. */
function recovers(onset: number): Told {
  let executedAt: number | null = null;
  return {
    sources: (own) => healed(own, () => (executedAt === null ? null : executedAt + MINUTE), onset),
    executors: (own, clock) =>
      own.map((one) => ({
        ...one,
        execute: async (target, key, abort) => {
          executedAt ??= clock.now();
          return one.execute(target, key, abort);
        },
      })),
  };
}

/** A story in which a person puts the version before back, at this moment, before anybody has answered. */
function fixedByPeople(onset: number, at: number): Told {
  const back: Change = {
    ...{ id: "deploy-inventory-8", kind: "deploy", service: "inventory", from: "v2.13.0", to: "v2.12.0" },
    ...{ startedAt: at, finishedAt: at + MINUTE, source: "kubernetes", reversible: true, author: "carol" },
  };
  return {
    sources: (own, clock) => {
      const calm = healed(own, () => (clock.now() >= at ? at + MINUTE : null), onset);
      return {
        ...calm,
        changes: calm.changes.map((one) => ({
          ...one,
          changes: async (window, abort) => [
            ...(await one.changes(window, abort)),
            ...(clock.now() >= at ? [back] : []),
          ],
        })),
      };
    },
  };
}

describe("the postmortem's draft", () => {
  it("of slow requests", { timeout: 120_000 }, async () => {
    const onset = Date.parse("2026-05-17T10:42:27Z");
    await shows("postmortem-latency.md", await draftOf(recorded("case-8c963923"), recovers(onset)));
  });

  it("of a flag", { timeout: 120_000 }, async () => {
    const onset = Date.parse("2026-03-07T16:00:36Z");
    await shows("postmortem-flag.md", await draftOf(recorded("case-2db49202"), recovers(onset)));
  });

  it("of a leak", { timeout: 120_000 }, async () => {
    await generated("bad-deploy-leak", 2023582059, async (folder) =>
      shows("postmortem-leak.md", await draftOf(folder, {}, false)),
    );
  });

  it("of an outage outside", { timeout: 120_000 }, async () => {
    await generated("external-outage", 1632441058, async (folder) =>
      shows("postmortem-outside.md", await draftOf(folder)),
    );
  });

  it("of what people fixed first", { timeout: 120_000 }, async () => {
    const onset = Date.parse("2026-02-14T13:21:47Z");
    const given = fixedByPeople(onset, onset + 4 * MINUTE);
    await shows("postmortem-fixed-by-people.md", await draftOf(recorded("case-7b2f8253"), given, false));
  });
});
