import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withSignedHead } from "../../../agent/compose/signed-notices.ts";
import type { Notice } from "../../../core/ports.ts";
import { readSignedHeads, signHead } from "../../../knowledge/ledger/signed-head.ts";
import { messageOf } from "../../../mcp-tools/connectors/slack/message.ts";
import { signingKeys } from "../../knowledge/ledger/signing-keys.ts";

let keys: ReturnType<typeof signingKeys>;
beforeAll(() => {
  keys = signingKeys();
});
afterAll(() => keys[Symbol.dispose]());

const NOTICE: Notice = {
  incidentId: "i",
  title: "checkout was rolled back",
  lines: ["errors rose"],
  severity: "info",
  to: "slack:#incidents",
};

function people() {
  const told: Notice[] = [];
  return {
    told,
    notifier: {
      notify: async (notice: Notice) => {
        told.push(notice);
        return { delivered: true, detail: "sent" };
      },
    },
  };
}

describe("notices with the ledger's head", () => {
  it("carry the end of that moment, signed, to people and to the log", async () => {
    const { told, notifier } = people();
    let seq = 0;
    const hash = "cd".repeat(32);
    const signed = withSignedHead(
      notifier,
      async () => ({ seq: ++seq, hash }),
      (head) => signHead(head, 7000, keys.key),
    );
    await signed.notify(NOTICE);
    const { delivered, detail } = await signed.notify(NOTICE);
    const heads = told.flatMap(({ lines }) => readSignedHeads(lines.join("\n"), keys.publicKey, "notice"));
    expect(heads).toMatchObject([
      { seq: 1, hash, at: 7000 },
      { seq: 2, hash, at: 7000 },
    ]);
    expect(told[0]).toMatchObject({ ...NOTICE, lines: ["errors rose", expect.any(String)] });
    expect(delivered).toBe(true);
    expect(readSignedHeads(detail, keys.publicKey, "log")).toMatchObject([{ seq: 2 }]);
  });

  it("carry it in Slack too, however much there is to say", async () => {
    const { told, notifier } = people();
    const hash = "cd".repeat(32);
    const signed = withSignedHead(
      notifier,
      async () => ({ seq: 7, hash }),
      (head) => signHead(head, 7000, keys.key),
    );
    const lines = Array.from({ length: 60 }, (_, at) => `target ${at} is back`);
    await signed.notify({ ...NOTICE, lines });
    const [notice = NOTICE] = told;
    const { blocks } = messageOf(notice, "#incidents", true);
    expect(blocks).toHaveLength(41);
    const text = JSON.stringify(blocks);
    expect(readSignedHeads(text, keys.publicKey, "Slack")).toMatchObject([{ seq: 7 }]);
    expect(text).toContain("target 37 is back");
    expect(text).toContain("22 lines are left out here.");
  });

  it("go out and say so where the head cannot be had", async () => {
    const { told, notifier } = people();
    const signed = withSignedHead(
      notifier,
      async () => {
        throw new Error("the ledger is down");
      },
      (head) => signHead(head, 0, keys.key),
    );
    expect(await signed.notify(NOTICE)).toMatchObject({ delivered: true });
    expect(told[0]?.lines).toEqual(["errors rose", expect.stringContaining("could not be signed")]);
  });
});
