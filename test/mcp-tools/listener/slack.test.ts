import { describe, expect, it } from "vitest";
import { createSlack } from "../../../mcp-tools/connectors/slack/slack.ts";
import type { GateConfig } from "../../../mcp-tools/gate/parts.ts";
import { createSlackReader } from "../../../mcp-tools/gate/slack-request.ts";
import { slackRoute } from "../../../mcp-tools/listener/slack-route.ts";
import { MINUTE, policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { BOT_TOKEN, fakeSlack, type SentMessage, SIGNING_SECRET } from "../../fakes/fake-slack.ts";
import { incident } from "../../knowledge/incidents.ts";
import { APPROVERS } from "../gate/gate-world.ts";
import { openListening } from "./listening.ts";

const SLACK_IDS: Readonly<Record<string, string>> = { alice: "UALICE", bob: "UBOB" };
const approvers: GateConfig["approvers"] = APPROVERS.map((one) => ({ ...one, slack: SLACK_IDS[one.name] ?? "UNONE" }));
const config: GateConfig = { ...policyOf({ mode: "approve" }), approvers };

/** A gate whose notices go to Slack, and the listener that Slack's presses reach. */
async function opened() {
  const own = new AsyncDisposableStack();
  const fake = own.use(await fakeSlack());
  const slack = createSlack({ api: new URL(fake.api), botToken: BOT_TOKEN, buttons: true });
  own.defer(() => slack.close());
  const read = createSlackReader(SIGNING_SECRET, "T0001");
  const on = own.use(
    await openListening({
      config,
      parts: { notifier: slack.notifier, identity: { slack: read } },
      more: ({ gate, time }) => [slackRoute({ gate, read, respond: slack.respond, clock: { now: () => time.now } })],
    }),
  );
  const { world } = on;
  return {
    on,
    world,
    fake,
    slack,
    /** Presses a button of the newest message, now and in order, as Slack would tell us. */
    press: (user: string, which: "approve" | "reject" = "approve", at = world.time.now, secret?: string) =>
      fake.press(
        `${on.url}/slack/interactions`,
        fake.formOf(user, `unship.${which}`, buttonOf(fake.messages, which)),
        at,
        secret,
      ),
    entries: (kind: string) => world.store.entries({ kinds: [kind] }),
    [Symbol.asyncDispose]: () => own.disposeAsync(),
  };
}

function buttonOf(messages: readonly SentMessage[], which: string): string {
  const elements = messages.at(-1)?.blocks.flatMap((block) => (Array.isArray(block.elements) ? block.elements : []));
  return elements?.find(({ action_id: id }) => id === `unship.${which}`)?.value ?? "no button";
}

describe("a plan that waits, asked for in Slack", () => {
  it("is shown as a diff with buttons; a press of an approver lets the gate execute it, and all is on record", async () => {
    await using slack = await opened();
    const plan = await slack.on.held({ reason: "errors rose <!channel> & <https://evil.example|look>" });
    const [message] = slack.fake.messages;
    expect(message?.channel).toBe("#incidents");
    const texts = JSON.stringify(message?.blocks);
    expect(texts).toContain("checkout: runs v2 (revision 7), will run v1 (revision 6)");
    expect(texts).toContain("Not covered: configuration outside the pod template");
    expect(texts).toContain("May approve: alice, bob");
    expect(texts).not.toContain("mrkdwn");
    expect(JSON.parse(buttonOf(slack.fake.messages, "approve"))).toEqual({ plan: plan.id, hash: plan.hash });
    expect(await slack.press("UALICE")).toBe(200);
    await slack.fake.responded(1);
    expect(slack.fake.responses).toMatchObject([
      { response_type: "in_channel", text: expect.stringContaining(`alice approved plan ${plan.id}`) },
    ]);
    expect(await slack.entries("approval.given")).toMatchObject([
      { actor: "alice", planId: plan.id, body: { via: "slack", planHash: plan.hash, press: expect.any(String) } },
    ]);
    expect(slack.world.targets.calls()).toEqual([]);
    expect(await slack.world.gate.submit(plan.id)).toMatchObject({ outcome: "executed" });
  });

  it("S4: a plan that is too long to be shown whole has no buttons; one that is shown stands before all that was said", async () => {
    await using fake = await fakeSlack();
    const slack = createSlack({ api: new URL(fake.api), botToken: BOT_TOKEN, buttons: true });
    const diff = (count: number, chars = 10) => Array.from({ length: count }, (_, at) => `t${at} `.padEnd(chars, "x"));
    const lines = Array.from({ length: 60 }, (_, at) => `because ${at}`);
    const sent = async (shown: readonly string[]) => {
      const asks = { planId: "plan-1", planHash: "h", diff: shown };
      const notice = { incidentId: "i", title: "t", lines, severity: "warning", to: "slack:#incidents", asks } as const;
      expect(await slack.notifier.notify(notice)).toMatchObject({ delivered: true });
      const blocks = fake.messages.at(-1)?.blocks ?? [];
      expect(blocks.length, "the most that Slack takes").toBeLessThanOrEqual(50);
      return JSON.stringify(blocks);
    };
    const whole = await sent(diff(30));
    expect(whole).toContain("unship.approve");
    expect(whole.indexOf("t29")).toBeGreaterThan(0);
    expect(whole.indexOf("t29")).toBeLessThan(whole.indexOf("because 0"));
    for (const long of [diff(31), diff(1, 3001)]) {
      const cut = await sent(long);
      expect(cut).not.toContain("unship.");
      expect(cut).toContain("plan-1 is too long to be shown here");
    }
    await slack.close();
  });

  it("S13: is told with what would come back by itself, in the reminder too", async () => {
    await using slack = await opened();
    slack.world.targets.mark(targetOf(), { warnings: ["the next apply brings v2 back"] });
    const plan = await slack.on.held();
    const shown = () => JSON.stringify(slack.fake.messages.at(-1)?.blocks);
    expect(shown()).toContain("Also moves: Deployment production/checkout: «the next apply brings v2 back»");
    await slack.world.store.saveIncident({
      ...incident,
      id: plan.incidentId,
      stage: "waiting-approval",
      plan: null,
      outcome: null,
      closedAt: null,
    });
    slack.world.time.now += 6 * MINUTE;
    await slack.world.gate.recover();
    expect(slack.fake.messages).toHaveLength(2);
    expect(shown()).toContain("Also moves: Deployment production/checkout: «the next apply brings v2 back»");
  });

  it("is rejected for good by the other button", async () => {
    await using slack = await opened();
    const plan = await slack.on.held();
    expect(await slack.press("UBOB", "reject")).toBe(200);
    await slack.fake.responded(1);
    expect(slack.fake.responses[0]?.text).toContain("bob rejected plan");
    expect(await slack.world.gate.submit(plan.id)).toMatchObject({ outcome: "denied" });
  });

  it.each<[string, RegExp, number, (slack: Awaited<ReturnType<typeof opened>>) => Promise<number>]>([
    [
      "is signed by another app",
      /signature is not Slack's/,
      401,
      (one) => one.press("UALICE", "approve", undefined, "s"),
    ],
    [
      "is older than five minutes",
      /older than five minutes/,
      401,
      (one) => one.press("UALICE", "approve", one.world.time.now - 6 * MINUTE),
    ],
    [
      "comes from the future",
      /from the future/,
      401,
      (one) => one.press("UALICE", "approve", one.world.time.now + 6 * MINUTE),
    ],
    ["is of somebody who is no approver", /no approver/, 200, (one) => one.press("UMALLORY")],
    ["is of an id that only looks like an approver's", /no approver/, 200, (one) => one.press("UАLICE")],
    [
      "is of a member of another workspace",
      /another workspace/,
      401,
      (one) => {
        const body = one.fake.formOf("UALICE", "unship.approve", buttonOf(one.fake.messages, "approve"), "T0666");
        return one.fake.press(`${one.on.url}/slack/interactions`, body, one.world.time.now);
      },
    ],
    [
      "is of a button that is not ours",
      /no press of a button of ours/,
      401,
      (one) =>
        one.fake.press(
          `${one.on.url}/slack/interactions`,
          one.fake.formOf("UALICE", "other", "{}"),
          one.world.time.now,
        ),
    ],
    [
      "was changed on its way",
      /signature is not Slack's/,
      401,
      async (one) => {
        const answer = await one.on.ask("/slack/interactions", {
          body: one.fake.formOf("UALICE", "unship.approve", buttonOf(one.fake.messages, "approve")),
          headers: {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": String(one.world.time.now / 1000),
            "x-slack-signature": `v0=${"0".repeat(64)}`,
          },
        });
        return answer.status ?? 0;
      },
    ],
    [
      "is not signed at all",
      /no timestamp of Slack/,
      401,
      async (one) =>
        (
          await one.on.ask("/slack/interactions", {
            body: one.fake.formOf("UALICE", "unship.approve", buttonOf(one.fake.messages, "approve")),
            headers: { "content-type": "application/x-www-form-urlencoded" },
          })
        ).status ?? 0,
    ],
  ])("S3: a press that %s executes nothing and is recorded", async (_, why, status, send) => {
    await using slack = await opened();
    const plan = await slack.on.held();
    expect(await send(slack)).toBe(status);
    expect(await slack.entries("identity.refused")).toMatchObject([
      { actor: "unknown", body: { via: "slack", reason: expect.stringMatching(why) } },
    ]);
    expect(await slack.entries("approval.given")).toEqual([]);
    expect(await slack.world.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
    expect(slack.world.targets.calls()).toEqual([]);
  });

  it.each<[string, RegExp, string, Parameters<Awaited<ReturnType<typeof opened>>["on"]["held"]>[0]]>([
    [
      "who may not answer for the service",
      /bob may not answer for cart/,
      "UBOB",
      { targets: [targetOf({ name: "cart" })] },
    ],
    ["who proposed it", /nobody approves a plan of their own/, "UALICE", { proposedBy: "mcp:http(alice):assistant" }],
  ])(
    "S3: a press of somebody %s executes nothing, is recorded, and they alone are told why",
    async (_, why, user, draft) => {
      await using slack = await opened();
      for (const target of draft?.targets ?? []) slack.world.targets.place(target);
      const plan = await slack.on.held(draft);
      expect(await slack.press(user)).toBe(200);
      await slack.fake.responded(1);
      expect(slack.fake.responses).toMatchObject([{ response_type: "ephemeral", text: expect.stringMatching(why) }]);
      expect(await slack.entries("approval.refused")).toMatchObject([
        { planId: plan.id, body: { via: "slack", reason: expect.stringMatching(why) } },
      ]);
      expect(await slack.world.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
    },
  );

  it("S4: a press that is sent again is answered once, in any process", async () => {
    await using slack = await opened();
    const plan = await slack.on.held();
    const body = slack.fake.formOf("UALICE", "unship.approve", buttonOf(slack.fake.messages, "approve"));
    const url = `${slack.on.url}/slack/interactions`;
    const at = slack.world.time.now;
    await Promise.all(Array.from({ length: 4 }, () => slack.fake.press(url, body, at)));
    slack.world.time.now += 4 * MINUTE;
    await slack.fake.press(url, body, at);
    expect(await slack.entries("approval.given")).toHaveLength(1);
    const refused = await slack.entries("approval.refused");
    expect(refused.map(({ body }) => body)).toEqual(
      Array(4).fill(
        expect.objectContaining({ reason: expect.stringContaining("this very press was answered already") }),
      ),
    );
    slack.world.time.now += 7 * MINUTE;
    expect(await slack.world.gate.submit(plan.id)).toMatchObject({ outcome: "held" });
  });

  it("S4: an old press does not count again where this machine's clock jumps back", async () => {
    await using slack = await opened();
    await slack.on.held();
    const at = slack.world.time.now;
    slack.world.time.now += 6 * MINUTE;
    await slack.world.store.append({ kind: "note", incidentId: null, planId: null, actor: "test", body: {} });
    slack.world.time.now = at;
    await slack.press("UALICE", "approve", at);
    expect(await slack.entries("approval.given")).toEqual([]);
    expect(await slack.entries("identity.refused")).toMatchObject([
      { body: { reason: expect.stringContaining("expired by the ledger's time") } },
    ]);
  });

  it("S4: a plan that was edited after the message was sent is not approved by its button", async () => {
    await using slack = await opened();
    const plan = await slack.on.held();
    const { DatabaseSync } = await import("node:sqlite");
    const { planContent } = await import("../../../core/guardrails/targets.ts");
    const { sha256 } = await import("../gate/gate-world.ts");
    const edited = { ...plan, targets: [targetOf({ name: "payments" })] };
    const hash = sha256(planContent(edited));
    const database = new DatabaseSync(`${slack.world.folder}/ledger.db`);
    database
      .prepare("update plans set body = ?, hash = ? where id = ?")
      .run(JSON.stringify({ ...edited, hash }), hash, plan.id);
    database.close();
    expect(await slack.press("UALICE")).toBe(200);
    await slack.fake.responded(1);
    expect(slack.fake.responses).toMatchObject([
      { response_type: "ephemeral", text: expect.stringContaining("does not match the hash") },
    ]);
    expect(await slack.entries("approval.given")).toEqual([]);
    expect(await slack.entries("approval.refused")).toHaveLength(1);
  });

  it("S4: a signed press of Reject cannot be passed off as an approval, nor end a pause", async () => {
    await using slack = await opened();
    const plan = await slack.on.held();
    const { createHmac } = await import("node:crypto");
    const body = slack.fake.formOf("UALICE", "unship.reject", buttonOf(slack.fake.messages, "reject"));
    const timestamp = String(slack.world.time.now / 1000);
    const signature = `v0=${createHmac("sha256", SIGNING_SECRET).update(`v0:${timestamp}:${body}`).digest("hex")}`;
    const proof = { via: "slack", body, timestamp, signature } as const;
    await expect(slack.world.gate.approve(plan.id, proof, plan.hash)).rejects.toThrow(
      "the press was of another button",
    );
    const other = await slack.on.held();
    await expect(slack.world.gate.reject(other.id, proof, "x", other.hash)).rejects.toThrow();
    expect(await slack.entries("approval.rejected")).toEqual([]);
  });

  it("is asked for without buttons where presses could not be verified, and stands as undelivered where Slack refuses", async () => {
    await using fake = await fakeSlack();
    const slack = createSlack({ api: new URL(fake.api), botToken: BOT_TOKEN, buttons: false });
    const asks = { planId: "p", planHash: "h", diff: ["d"] };
    const notice = {
      incidentId: "i",
      title: "t",
      lines: ["l"],
      severity: "warning",
      to: "slack:#incidents",
      asks,
    } as const;
    expect(await slack.notifier.notify(notice)).toEqual({ delivered: true, detail: "sent to #incidents in Slack" });
    expect(JSON.stringify(fake.messages)).not.toContain("unship.approve");
    expect(await slack.notifier.notify({ ...notice, to: "slack:#nowhere" })).toEqual({
      delivered: false,
      detail: "undelivered: Slack refused it (channel_not_found)",
    });
    fake.breakDown();
    await expect(slack.notifier.notify(notice)).rejects.toMatchObject({ code: "source.unavailable" });
    await slack.close();
  });

  it.each([["http://127.0.0.1:1/steal"], ["https://hooks.slack.com.evil.example/x"], ["no url"]])(
    "a response URL that is not Slack's is not called: %s",
    async (url) => {
      await using fake = await fakeSlack();
      const slack = createSlack({ api: new URL(fake.api), botToken: BOT_TOKEN, buttons: true });
      await slack.respond(url, "text", "all");
      expect(fake.responses).toEqual([]);
      await slack.close();
    },
  );
});
