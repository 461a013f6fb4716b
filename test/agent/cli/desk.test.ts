import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NO_INCIDENT } from "../../../core/model/plan.ts";
import { type Announced, announce } from "../../../knowledge/ledger/at-work.ts";
import { targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { openWatchWorld, type WatchWorld } from "../watch/watch-world.ts";
import { heldPlanOf } from "./held-plan.ts";
import { type Desk, openDesk } from "./run-cli.ts";

/** A watch at work whose ledger the command line opens from processes of its own. */
let world: WatchWorld;
let desk: Desk;
let work: Announced;

beforeEach(async () => {
  world = await openWatchWorld({ onDisk: true, startAt: Date.now() });
  work = announce(world.ledgerPath, "watch", { mode: "observe" });
  desk = openDesk({ ledger: world.ledgerPath });
});
afterEach(async () => {
  desk[Symbol.dispose]();
  await work.withdraw();
  await world[Symbol.asyncDispose]();
});

const heldPlan = () => heldPlanOf(world);

const answers = async () => (await world.kinds()).filter((kind) => /^(approval|token)\./.test(kind));

describe("unship approve", () => {
  it("with the right token: says what will be done and why it was held, records it, and the watch executes it", async () => {
    const plan = await heldPlan();
    const { code, out, err } = await desk.run(["approve", plan, "--token-file", desk.tokenFile(ALICE_TOKEN)]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(/kubectl_rollout_undo: Deployment\/checkout in production, service checkout/);
    expect(out).toMatch(/- runs now: {2}v2 \(revision \d+\)\n.*\+ will run: {2}v1 /);
    expect(out).toContain("data: what was written and how it is shaped stays");
    expect(out).toContain("May approve: alice");
    expect(out).toMatch(/^checkout degraded since .*: .*; \d services? affected: .*checkout.*\n/);
    expect(out).toMatch(/Held by human-approval: .*no automatic condition holds/);
    expect(out).toContain("Approved by alice, valid until ");
    expect(await answers()).toEqual(["approval.given"]);
    expect(world.targets.calls()).toEqual([]);
    await world.step();
    expect(world.targets.writes()).toMatchObject([{ key: `${plan}:0`, version: "v1" }]);
  });

  it("--json: nothing but the answer on standard output", async () => {
    const plan = await heldPlan();
    const { code, out } = await desk.run(["approve", plan, "--json", "--token-file", desk.tokenFile(ALICE_TOKEN)]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      plan,
      approved_by: "alice",
      expires_at: expect.stringMatching(/Z$/),
      still_needed: 0,
      carried_out_by: "the watch carries it out at its next evaluation",
    });
  });

  it.each([
    ["without a token and without a terminal to ask at", [], {}, /type it at a terminal, or name a file/],
    [
      "with a token in the environment only",
      [],
      { UNSHIP_TOKEN: ALICE_TOKEN, TOKEN: ALICE_TOKEN },
      /no personal token/,
    ],
    ["with a wrong token", "wrong", {}, /this token is no approver's/],
    ["with a file that its group can read", "readable", {}, /others can read .*chmod 600/],
    ["with a file that is not there", ["--token-file", "/no/such/file"], {}, /cannot be read/],
    ["with an empty file", "empty", {}, /approval was refused/],
  ] as const)("S3: %s it is refused, exit code 1, and nothing runs", async (_, given, variables, said) => {
    const plan = await heldPlan();
    const files = {
      wrong: () => desk.tokenFile("mallory-token"),
      readable: () => desk.tokenFile(ALICE_TOKEN, 0o640),
      empty: () => desk.tokenFile(""),
    };
    const words = typeof given === "string" ? ["--token-file", files[given]()] : given;
    const { code, err } = await desk.run(["approve", plan, ...words], { variables });
    expect(code).toBe(1);
    expect(err).toMatch(said);
    expect(err).not.toContain(ALICE_TOKEN);
    expect(await answers()).not.toContain("approval.given");
    await world.step(2);
    expect(world.targets.calls()).toEqual([]);
  });

  it("a plan whose incident is closed, or that another one has replaced, is refused: nobody would carry it out", async () => {
    const first = await heldPlan();
    const token = desk.tokenFile(ALICE_TOKEN);
    const other = targetOf({ expected: { version: "v3", revision: "8" } });
    world.targets.place(other);
    world.troubles = [world.trouble({ policy: "human_review", needsPerson: ["no automatic condition holds"] }, other)];
    await world.step();
    const second = (await world.incident()).plan?.id ?? "none";
    const replaced = await desk.run(["approve", first, "--token-file", token]);
    expect(replaced.code).toBe(1);
    expect(replaced.err).toContain(`${second} has taken the place of this plan`);
    world.troubles = [];
    await world.step(15);
    expect((await world.incident()).outcome).toBe("withdrawn");
    const closed = await desk.run(["approve", second, "--token-file", token]);
    expect(closed.code).toBe(1);
    expect(closed.err).toMatch(/incident .* is closed \(withdrawn\)/);
    expect(await answers()).toEqual([]);
  });

  it("a plan that nobody knows: exit code 1, before any token is asked for", async () => {
    const { code, err, out } = await desk.run(["approve", "plan-nope"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("There is no plan plan-nope");
  });
});

describe("unship reject", () => {
  it("records the no with its reason; it cannot be approved afterwards and is not proposed again", async () => {
    const plan = await heldPlan();
    const token = desk.tokenFile(ALICE_TOKEN);
    const no = await desk.run(["reject", plan, "--reason", "the deploy is innocent", "--token-file", token]);
    expect(no).toMatchObject({ code: 0, err: "" });
    const yes = await desk.run(["approve", plan, "--token-file", token]);
    expect(yes.code).toBe(1);
    expect(yes.err).toContain("alice rejected this plan");
    const [entry] = await world.store.entries({ kinds: ["approval.rejected"] });
    expect(entry).toMatchObject({ actor: "alice", body: { reason: "the deploy is innocent" } });
    world.troubles = [world.trouble()];
    await world.step(3);
    expect(world.targets.calls()).toEqual([]);
  });
});

describe("unship pause and resume", () => {
  it("a pause without a scope stops everything, needs no token and no source's secret; status says so", async () => {
    const paused = await desk.run(["pause", "--by", "bob"]);
    expect(paused).toMatchObject({ code: 0, err: "" });
    expect(paused.out).toMatch(/nothing will be executed until an approver runs: unship resume all/);
    world.troubles = [world.trouble()];
    await world.step(2);
    expect(world.targets.calls()).toEqual([]);
    expect((await world.incident()).gate?.review.rules).toContainEqual(
      expect.objectContaining({
        rule: "paused",
        verdict: "deny",
        reason: expect.stringContaining("everything is paused by bob"),
      }),
    );
    const { out } = await desk.run(["status"]);
    expect(out).toMatch(/PAUSED: everything, by bob .*unship resume all/);
    expect(out).toContain("the gate denied the plan");
  });

  it("a resume needs an approver; then the watch goes on by itself", async () => {
    await desk.run(["pause"]);
    world.troubles = [world.trouble()];
    await world.step();
    expect((await desk.run(["resume"])).code).toBe(1);
    expect((await desk.run(["resume", "--token-file", desk.tokenFile("mallory")])).code).toBe(1);
    expect(await world.store.pauses()).toHaveLength(1);
    const resumed = await desk.run(["resume", "--token-file", desk.tokenFile(ALICE_TOKEN)]);
    expect(resumed).toMatchObject({ code: 0, err: "" });
    expect(resumed.out).toContain("Resumed by alice: everything.");
    await world.step(40);
    expect(world.targets.writes()).toHaveLength(1);
  });

  it.each([
    ["checkout", 0],
    ["cart", 1],
  ] as const)("a pause of %s alone leaves %i of the rollbacks of checkout", async (service, writes) => {
    expect((await desk.run(["pause", service])).code).toBe(0);
    world.troubles = [world.trouble()];
    await world.step(2);
    expect(world.targets.writes()).toHaveLength(writes);
  });

  it("S14, S15: a plan that was approved in the pause is named by status, and by whoever ends the pause", async () => {
    const target = targetOf({ service: "cart", name: "cart", changeId: "deploy-cart" });
    world.targets.place(target);
    const draft = { incidentId: NO_INCIDENT, targets: [target], reason: "complaints", proposedBy: "mcp:stdio:x" };
    const { plan } = await world.gate.propose(draft);
    await world.gate.pause("all", "bob");
    await world.gate.approve(plan.id, ALICE_TOKEN);
    await world.step(2);
    const { out } = await desk.run(["status"]);
    expect(out).toMatch(/Approved, and not carried out yet, beside those: 1\n {2}plan-\d+ /);
    expect(out).toContain("denied by paused: everything is paused");
    expect(out).toMatch(/approved by alice: it runs as soon as nothing denies it; the approval is valid until /);
    const resumed = await desk.run(["resume", "--token-file", desk.tokenFile(ALICE_TOKEN)]);
    expect(resumed.out).toMatch(
      new RegExp(`held by the pause: 1\\n {2}${plan.id} .*roll back Deployment production/cart`),
    );
    expect(resumed.out).toContain(
      `Approved before, and carried out now unless another rule holds or denies it: ${plan.id}`,
    );
    await world.step(6);
    expect(world.targets.writes()).toHaveLength(1);
    expect((await desk.run(["status"])).out).not.toContain("Approved, and not");
  });

  it("a resume of what is not paused is refused", async () => {
    const { code, err } = await desk.run(["resume", "search", "--token-file", desk.tokenFile(ALICE_TOKEN)]);
    expect(code).not.toBe(0);
    expect(err).toContain("search");
  });
});

describe("unship status", () => {
  it("says what waits, why, and the very commands that answer it", async () => {
    const plan = await heldPlan();
    const { code, out, err } = await desk.run(["status"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("NEEDS APPROVAL");
    expect(out).toContain("rollback of checkout v2 (97 %)");
    expect(out).toContain("held by human-approval: no automatic condition holds");
    expect(out).not.toContain("Towards mode");
    const order = [
      "NEEDS APPROVAL",
      `plan ${plan}: `,
      `unship approve ${plan}`,
      "held by ",
      "rollback of ",
      "impact ",
      "\n    checkout error_rate ",
    ];
    expect(order.map((one) => out.indexOf(one))).toEqual(
      order.map((one) => out.indexOf(one)).toSorted((a, b) => a - b),
    );
    expect(out).toMatch(/to be answered within \d+m/);
    expect(out).toContain(`\n    unship approve ${plan}\n`);
    expect(Math.max(...out.split("\n").map((line) => line.length))).toBeLessThanOrEqual(160);
  });

  it("S15: lists every plan that waits, also what an assistant proposed, with who asks, why, and how to answer", async () => {
    const own = await heldPlan();
    const target = targetOf({ service: "cart", name: "cart", changeId: "deploy-cart" });
    const draft = { incidentId: "none", targets: [target], reason: "customers complain", proposedBy: "mcp:stdio:ide" };
    const { plan } = await world.gate.propose(draft);
    const { out } = await desk.run(["status"]);
    expect(out).toContain("Plans that wait for a person, beside those: 1");
    expect(out.replaceAll(/\s+/g, " ")).toContain(
      `${plan.id} proposed by mcp:stdio:ide, outside any incident: roll back`,
    );
    expect(out).toMatch(/why, at \d\d:\d\d:\d\d UTC: «customers complain»/);
    expect(out).toContain(`\n    unship approve ${plan.id}\n`);
    const { out: json } = await desk.run(["status", "--json"]);
    expect(
      JSON.parse(json)
        .plans.map((one: { readonly id: string }) => one.id)
        .toSorted(),
    ).toEqual([own, plan.id].toSorted());
  });

  it("--json on a filled ledger and on an empty one is one JSON object and nothing else", async () => {
    const plan = await heldPlan();
    const filled = await desk.run(["status", "--json"]);
    expect(JSON.parse(filled.out)).toMatchObject({
      mode: "observe",
      open: [{ stage: "waiting-approval", action: "rollback", plan, culprit: { changeId: "deploy-checkout" } }],
      closed: [],
      pauses: [],
    });
    using empty = openDesk();
    const { code, out, err } = await empty.run(["status", "--json"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const nothing = { pauses: [], damaged: [], open: [], closed: [], graduation: [], at_work: [], plans: [], acts: [] };
    expect(JSON.parse(out)).toEqual({
      mode: "observe",
      mode_by_file: "observe",
      ledger: join(empty.folder, "ledger.db"),
      ledger_is_there: false,
      last_evaluation: null,
      ...nothing,
    });
  });
});
