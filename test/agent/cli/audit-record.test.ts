import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { signHead } from "../../../knowledge/ledger/signed-head.ts";
import { approverKey } from "../../../mcp-tools/gate/approver-key.ts";
import { signingKeys } from "../../knowledge/ledger/signing-keys.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { openWatchWorld, type WatchWorld } from "../watch/watch-world.ts";
import { heldPlanOf } from "./held-plan.ts";
import { type Desk, openDesk, unship } from "./run-cli.ts";

/** A ledger that a watch wrote, and the command line that opens it from processes of its own. */
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

const heldPlan = () => heldPlanOf(world);

describe("unship audit verify", () => {
  it("a good ledger: exit code 0, how many entries, and the head to keep elsewhere", async () => {
    await heldPlan();
    const { code, out } = await desk.run(["audit", "verify"]);
    expect(code).toBe(0);
    const { head, entries } = await world.store.verify();
    expect(out).toContain(`The chain holds: ${entries} entries.\nHead: ${head}\nThe tail cannot be proven: `);
  });

  it("a signed head that was kept elsewhere, in any text, proves it complete up to there; a cut tail is named", async () => {
    using keys = signingKeys();
    await heldPlan();
    const head = await world.store.head();
    const chat = keys.write(
      join(keys.folder, "chat.txt"),
      `12:03 Ledger head: ${signHead(head, Date.now(), keys.key)}`,
    );
    const verify = ["audit", "verify", "--head", chat, "--public-key", keys.publicFile];
    expect((await desk.run(verify)).out).toContain(`Complete: it ends at entry ${head.seq}, as signed `);
    await world.store.append({ kind: "note", incidentId: null, planId: null, actor: "test", body: null });
    const grown = await desk.run([...verify, "--json"]);
    expect(JSON.parse(grown.out)).toMatchObject({ ok: true, entries: head.seq + 1, proven: { entry: head.seq } });
    const file = new DatabaseSync(world.ledgerPath);
    file.exec("drop trigger entries_never_go; delete from entries where seq > 1");
    file.exec("update head set seq = 1, hash = (select hash from entries where seq = 1)");
    file.close();
    const { code, out } = await desk.run(verify);
    expect(code).toBe(1);
    expect(out).toContain(`entry 2: missing: entries 2 to ${head.seq}; the head of entry ${head.seq} was signed`);
  });

  it("a head by another key, or no head at all, is wrong input", async () => {
    using keys = signingKeys();
    using others = signingKeys();
    await heldPlan();
    const foreign = signHead(await world.store.head(), Date.now(), others.key);
    for (const [given, said] of [
      [foreign, "was signed with key"],
      ["nonsense", "there is no signed head in it"],
    ] as const) {
      const ran = await desk.run(["audit", "verify", "--head", given, "--public-key", keys.publicFile]);
      expect(ran).toMatchObject({ code: 2, out: "", err: expect.stringContaining(said) });
    }
    const keyless = await desk.run(["audit", "verify", "--head", foreign]);
    expect(keyless).toMatchObject({ code: 2, err: expect.stringContaining("--public-key: name the public key") });
  });

  it("a ledger that somebody changed: exit code 1, and the entry is named", async () => {
    await heldPlan();
    const [, second] = await world.store.entries();
    const file = new DatabaseSync(world.ledgerPath);
    for (const { name } of file.prepare("select name from sqlite_master where type = 'trigger'").all())
      file.exec(`drop trigger ${String(name)}`);
    file.prepare("update entries set actor = 'nobody' where seq = ?").run(second?.seq ?? 0);
    file.close();
    const { code, out } = await desk.run(["audit", "verify"]);
    expect(code).toBe(1);
    expect(out).toContain(`entry ${second?.seq}: `);
    expect(out).toContain("The chain does NOT hold");
    const asJson = await desk.run(["audit", "verify", "--json"]);
    expect(asJson.code).toBe(1);
    expect(JSON.parse(asJson.out)).toMatchObject({
      ok: false,
      problems: [
        { seq: second?.seq },
        ...["change", "go"].map((does) => ({ reason: `the trigger entries_never_${does} is gone` })),
      ],
    });
  });
});

describe("unship audit sign", () => {
  it("S1: vouches for a ledger that was written without the key, once nothing else is wrong with it", async () => {
    using keys = signingKeys();
    const plan = await heldPlan();
    using signing = openDesk({ ledger: world.ledgerPath, signingKey: keys.privateFile });
    const approve = ["approve", plan, "--token-file", signing.tokenFile(ALICE_TOKEN)];
    const before = await signing.run(approve);
    expect(before).toMatchObject({ code: 1, err: expect.stringContaining("sign it (unship audit sign)") });
    expect(await signing.run(["audit", "verify"])).toMatchObject({ code: 1 });
    const { seq } = await world.store.head();
    expect(await signing.run(["audit", "sign"])).toMatchObject({
      code: 0,
      out: expect.stringContaining(`entry ${seq}, is signed with the configured key`),
    });
    expect(await signing.run(["audit", "verify"])).toMatchObject({ code: 0 });
    expect(await signing.run(approve)).toMatchObject({ code: 0 });
  });
});

describe("unship approver-key", () => {
  it("prints the line for the file, and nothing of the token", async () => {
    const ran = await unship(["approver-key", "--token-file", desk.tokenFile(ALICE_TOKEN)]);
    expect(ran).toMatchObject({ code: 0, out: `token_key: "${approverKey(ALICE_TOKEN).text}"\n` });
    expect(`${ran.out}${ran.err}`).not.toContain(ALICE_TOKEN);
  });

  it.each([
    [
      "one that can be guessed",
      (file: string) => writeFileSync(file, "hunter2hunter2hunter2", { mode: 0o600 }),
      /has 21 characters.*could guess/,
    ],
    ["an empty one", (file: string) => writeFileSync(file, "\n", { mode: 0o600 }), /it is empty/],
    [
      "one that others can read",
      (file: string) => writeFileSync(file, ALICE_TOKEN, { mode: 0o644 }),
      /--token-file: others can read .*mine\.token; chmod 600 it/,
    ],
    [
      "a folder",
      (file: string) => mkdirSync(file, { mode: 0o700 }),
      /--token-file: .*mine\.token cannot be read \(EISDIR\)/,
    ],
    ["nothing", () => {}, /--token-file: .*mine\.token cannot be read \(ENOENT\)/],
  ])("refuses %s, and says what is wrong with it", async (_, make, says) => {
    const folder = mkdtempSync(join(tmpdir(), "unship-key-"));
    try {
      make(join(folder, "mine.token"));
      const ran = await unship(["approver-key", "--token-file", join(folder, "mine.token")]);
      expect(ran).toMatchObject({ code: 2, out: "" });
      expect(ran.err).toMatch(says);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("unship audit export", () => {
  it("is checked offline with the public key alone; without the key it says what is not proven", async () => {
    using keys = signingKeys();
    await world.gate.approve(await heldPlan(), ALICE_TOKEN);
    using signing = openDesk({ ledger: world.ledgerPath, signingKey: keys.privateFile });
    const file = join(signing.folder, "ledger.jsonl");
    const written = await signing.run(["audit", "export", "-o", file]);
    const { seq } = await world.store.head();
    expect(written).toMatchObject({ code: 0, err: "", out: expect.stringContaining(`${seq} entries in ${file}.`) });
    expect(statSync(file).mode & 0o077).toBe(0);
    const offline = (words: readonly string[]) => unship(["audit", "verify", "--export", file, ...words]);
    const whole = await offline(["--public-key", keys.publicFile]);
    expect(whole.out).toContain(`Complete: it ends at entry ${seq}, as`);
    expect(whole.out).toContain(`Approved by alice, proven with ${approverKey(ALICE_TOKEN).text}: entry `);
    expect(await offline([])).toMatchObject({
      code: 0,
      out: expect.stringContaining("The tail cannot be proven"),
      err: expect.stringContaining("which was not checked"),
    });
    writeFileSync(file, readFileSync(file, "utf8").split("\n").slice(0, -2).join("\n"));
    const cut = await offline(["--public-key", keys.publicFile]);
    expect(cut).toMatchObject({ code: 1, out: expect.stringContaining(`entry ${seq}: missing: entry ${seq}`) });
  });

  it.each([
    ["was taken out", () => null, /no head of it is signed \(it carries none\)/],
    [
      "was put in place of a newer one",
      (keys: ReturnType<typeof signingKeys>, hash: string) => signHead({ seq: 1, hash }, 5000, keys.key),
      /no head of it is signed \(it carries that of entry 1\)/,
    ],
  ] as const)("does not hold against a public key where its signed head %s", async (_, head, says) => {
    using keys = signingKeys();
    await heldPlan();
    using signing = openDesk({ ledger: world.ledgerPath, signingKey: keys.privateFile });
    const file = join(signing.folder, "ledger.jsonl");
    await signing.run(["audit", "export", "-o", file]);
    const [header = "", ...lines] = readFileSync(file, "utf8").split("\n");
    const { hash } = JSON.parse(lines[0] ?? "");
    writeFileSync(file, [JSON.stringify({ ...JSON.parse(header), head: head(keys, hash) }), ...lines].join("\n"));
    const ran = await unship(["audit", "verify", "--export", file, "--public-key", keys.publicFile]);
    expect(ran).toMatchObject({ code: 1, out: expect.stringMatching(says) });
  });

  it("goes to standard output as it is, unsigned where no key is configured", async () => {
    await heldPlan();
    const { code, out } = await desk.run(["audit", "export"]);
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(lines[0]).toMatchObject({ format: "unship-ledger-export", version: 1, head: null });
    expect(lines.slice(1)).toEqual(await world.store.entries());
  });

  it("a signing key that others can read is refused by all that would sign with it", async () => {
    using keys = signingKeys();
    const open = keys.write(join(keys.folder, "open.pem"), keys.privateKey, 0o644);
    using loose = openDesk({ ledger: world.ledgerPath, signingKey: open });
    for (const words of [["audit", "export"], ["watch"]]) {
      const ran = await loose.run(words, { variables: { LD_API_KEY: "x" } });
      expect(ran).toMatchObject({ code: 2, err: expect.stringContaining("others can read it: chmod 600") });
    }
  });
});
