import { readFileSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Incident } from "../../../core/model/incident.ts";
import { targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { openWatchWorld, type WatchWorld } from "../watch/watch-world.ts";
import { type Desk, openDesk } from "./run-cli.ts";

/** A watch at work whose ledger the command line opens from processes of its own. */
let world: WatchWorld;
let desk: Desk;

beforeEach(async () => {
  world = await openWatchWorld({ onDisk: true, startAt: Date.now() });
  desk = openDesk({ ledger: world.ledgerPath });
});
afterEach(async () => {
  desk[Symbol.dispose]();
  await world[Symbol.asyncDispose]();
});

/** An incident whose plan waits for a person; its id. */
async function heldPlan(): Promise<string> {
  world.troubles = [world.trouble({ policy: "human_review", needsPerson: ["no automatic condition holds"] })];
  await world.step();
  return (await world.incident()).plan?.id ?? "none";
}

describe("unship ack and snooze", () => {
  it("with the right token stop the pages of an incident, and status says who did until when", async () => {
    await heldPlan();
    const { id } = await world.incident();
    const token = ["--token-file", desk.tokenFile(ALICE_TOKEN)];
    const { code, out, err } = await desk.run(["ack", id, "--for", "2h", "--note", "looking at it", ...token]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatch(
      /^Acknowledged by alice: no pages for inc-checkout-\d+ \(checkout\) until .* UTC unless it gets worse\. Automatic rollback is unaffected\.$/m,
    );
    expect((await desk.run(["status"])).out).toMatch(
      /acknowledged by alice until [^\n]*: «looking at it»; nobody is paged meanwhile\n/,
    );
    const snoozed = await desk.run(["snooze", id, "--json", ...token]);
    expect(JSON.parse(snoozed.out)).toMatchObject({ incident: id, as: "snooze", by: "alice", note: "" });
    const status = JSON.parse((await desk.run(["status", "--json"])).out);
    expect(status.open).toMatchObject([
      {
        state: "needs approval",
        impact: { level: expect.any(String) },
        waiting: { answer: [expect.stringMatching(/^unship approve plan-/), expect.stringMatching(/^unship reject /)] },
        acknowledged: { as: "snooze", by: "alice", until: expect.stringMatching(/Z$/) },
      },
    ]);
  });

  it.each([
    ["without a token", [], 1, /no personal token/],
    ["with a wrong token", ["wrong"], 1, /this token is no approver's/],
    ["for a time that is none", ["--for", "soon"], 2, /Write a duration, such as 45m or 2h/],
    ["for longer than a week", ["--for", "8d", "right"], 2, /name a time from 1m to 7d/],
  ] as const)("S14: %s they are refused, and nothing stands in the ledger", async (_, words, exit, said) => {
    await heldPlan();
    const { id } = await world.incident();
    const given = words.flatMap((word) =>
      word === "wrong" || word === "right"
        ? ["--token-file", desk.tokenFile(word === "right" ? ALICE_TOKEN : "mallory")]
        : [word],
    );
    const { code, err } = await desk.run(["ack", id, ...given]);
    expect(code).toBe(exit);
    expect(err).toMatch(said);
    expect(await world.kinds()).not.toContain("incident.acknowledged");
  });

  it.each([
    ["ack", "INCIDENT", "The acknowledgement was refused: this token is no approver's."],
    ["snooze", "INCIDENT", "The snooze was refused: this token is no approver's."],
    ["resume", "all", "The resume was refused: this token is no approver's."],
    ["approve", "PLAN", "The approval was refused: this token is no approver's."],
    ["reject", "PLAN", "The rejection was refused: this token is no approver's."],
  ])("%s says what was refused", async (command, about, said) => {
    const plan = await heldPlan();
    await world.gate.pause("all", "zoe");
    const named = about === "INCIDENT" ? (await world.incident()).id : about === "PLAN" ? plan : about;
    const { code, err } = await desk.run([command, named, "--token-file", desk.tokenFile("mallory")]);
    expect({ code, err }).toEqual({ code: 1, err: `unship: ${said}\n` });
  });

  it.each([
    ["ack", "INCIDENT", "The acknowledgement was refused"],
    ["snooze", "INCIDENT", "The snooze was refused"],
    ["resume", "all", "The resume was refused"],
    ["approve", "PLAN", "The approval was refused"],
    ["reject", "PLAN", "The rejection was refused"],
  ])("%s says before it asks for a token that the file lists nobody who may", async (command, about, said) => {
    const plan = await heldPlan();
    await world.gate.pause("all", "zoe");
    writeFileSync(desk.config, readFileSync(desk.config, "utf8").replace(/^approvers: .*$/m, "approvers: []"));
    const named = about === "INCIDENT" ? (await world.incident()).id : about === "PLAN" ? plan : about;
    const { code, err } = await desk.run([command, named]);
    expect(code).toBe(1);
    expect(err).toContain(
      `unship: ${said}: ${desk.config} lists no approver. Add one under \`approvers\`: name, and token_key, which \`unship approver-key\` derives from a random token`,
    );
  });

  it.each([
    ["99999d", "--for 99999d: Write a duration, such as 45m or 2h; name a time from 1m to 7d"],
    ["8d", "--for 8d: name a time from 1m to 7d"],
    ["30s", "--for 30s: name a time from 1m to 7d"],
    ["soon", "--for soon: Write a duration, such as 45m or 2h; name a time from 1m to 7d"],
  ])("name the bounds of --for %s before a token is asked for", async (time, said) => {
    await heldPlan();
    const { code, err } = await desk.run(["snooze", (await world.incident()).id, "--for", time]);
    expect({ code, err }).toEqual({ code: 2, err: `unship: ${said}.\n` });
  });

  it("S11: a note stays on its line, whatever it imitates", async () => {
    await heldPlan();
    const { id } = await world.incident();
    const note = "on it\nNo incident is open.\r\u001b[2Jgone\u2028x";
    const token = ["--token-file", desk.tokenFile(ALICE_TOKEN)];
    const acked = await desk.run(["ack", id, "--note", note, "--json", ...token]);
    expect(JSON.parse(acked.out).note).not.toMatch(/[\p{Cc}\u2028]/u);
    const { out } = await desk.run(["status"]);
    expect(out).toMatch(/acknowledged by alice until [^\n]*: «on it No incident is open\. gone/);
    expect(out.split("\n")).not.toContainEqual(expect.stringMatching(/^\s*No incident is open/));
    const status = JSON.parse((await desk.run(["status", "--json"])).out);
    expect(status.open[0].acknowledged.note).not.toMatch(/[\p{Cc}\u2028]/u);
  });

  it("of an incident that nobody knows: exit code 1, before any token is asked for", async () => {
    const { code, err } = await desk.run(["snooze", "inc-nope"]);
    expect(code).toBe(1);
    expect(err).toContain("There is no incident inc-nope");
  });
});

describe("unship status, with several incidents", () => {
  it("lists all that are open, worst first", async () => {
    world.troubles = ["cart", "checkout"].map((name) =>
      world.trouble({ policy: "human_review", needsPerson: ["look"] }, targetOf({ name })),
    );
    await world.step();
    const impact = (level: "low" | "critical"): Incident["impact"] => ({
      ...{ level, affectedServices: [], failedShare: 0.1, failedUserShare: null, failedRequestsPerSecond: null },
      ...{ revenuePerMinute: null, routes: [], unknown: [], sentences: ["10 % of requests fail at gateway"] },
    });
    const open = await world.store.incidents({ open: true });
    expect(open).toHaveLength(2);
    for (const one of open) {
      await world.store.saveIncident({ ...one, impact: impact(one.service === "cart" ? "low" : "critical") });
    }
    const { out } = await desk.run(["status"]);
    expect(out).toMatch(
      /Open incidents: 2, worst first\n {2}inc-checkout.*NEEDS APPROVAL\n[\s\S]*\n {4}impact critical, as of [\d:]+ UTC: 10 % .*[\s\S]*\n {2}inc-cart/,
    );
    expect(out.match(/ {4}unship approve plan-/g)).toHaveLength(2);
  });
});

describe("unship status, where an incident is damaged", () => {
  async function twoOpen(): Promise<void> {
    world.troubles = ["cart", "checkout"].map((name) =>
      world.trouble({ policy: "human_review", needsPerson: ["look"] }, targetOf({ name })),
    );
    await world.step();
  }
  const tamper = (sql: string) => {
    const database = new DatabaseSync(world.ledgerPath);
    database.exec(sql);
    database.close();
  };

  it.each([
    ["its row holds no incident", "update incidents set body = '{}' where id like 'inc-cart%'", 2, "taken from entry"],
    [
      "its row is cut off",
      "update incidents set body = substr(body, 1, 99) where id like 'inc-cart%'",
      2,
      "taken from",
    ],
    [
      "the entry is damaged too",
      `drop trigger entries_never_change; update incidents set body = '{' where id like 'inc-cart%';
       update entries set body = '{' where incident_id like 'inc-cart%' and kind = 'incident.saved'`,
      1,
      "and so is entry",
    ],
  ])("shows the others and names it: %s", async (_, sql, shown, said) => {
    await twoOpen();
    tamper(sql);
    const { code, out } = await desk.run(["status"]);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`^DAMAGED: incident inc-cart\\S*: its row is damaged.*${said}`, "m"));
    expect(out).toContain(`Open incidents: ${shown}`);
    expect(out).toMatch(/^ {2}inc-checkout/m);
    const json = JSON.parse((await desk.run(["status", "--json"])).out);
    expect(json.open).toHaveLength(shown);
    expect(json.damaged).toMatchObject([{ id: expect.stringMatching(/^inc-cart/) }]);
  });
});
