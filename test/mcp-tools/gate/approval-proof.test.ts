import { createPublicKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { attestationBy } from "../../../agent/compose/attestation.ts";
import type { Approver } from "../../../core/config/config.ts";
import type { Approval } from "../../../core/guardrails/gate-store.ts";
import { keyId } from "../../../knowledge/ledger/signed-head.ts";
import { isProven, proveAnswer, provenBy } from "../../../mcp-tools/gate/approval-proof.ts";
import { approverKey } from "../../../mcp-tools/gate/approver-key.ts";
import type { Via } from "../../../mcp-tools/gate/identity.ts";
import { policyOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN, ATTESTATION, BOB_TOKEN, keyed, openWorld, sha256 } from "./gate-world.ts";

const rights = { services: null, actions: null, upTo: "critical" } as const;
const alice: Approver = { name: "alice", ...keyed(ALICE_TOKEN), ...rights };
const bob: Approver = { name: "bob", ...keyed(BOB_TOKEN), ...rights };
const ada: Approver = { name: "ada", tokenSha256: null, oidc: "ada@idp", ...rights };
const old: Approver = { name: "old", tokenSha256: sha256("t"), ...rights };
const approvers = [alice, bob, ada, old];

const answerOf = ({ name }: Approver): Omit<Approval, "proof"> => ({
  planId: "plan-1",
  planHash: "a".repeat(64),
  answer: "approve",
  by: name,
  reason: "",
  at: 1000,
  expiresAt: 2000,
  wallExpiresAt: 2000,
});

function given(approver: Approver, via: Via, token: string | null, attestation = true): Approval {
  const key = token === null ? null : approverKey(token);
  const answer = answerOf(approver);
  const proof = proveAnswer(answer, { approver, via, key }, attestation ? ATTESTATION : null);
  return { ...answer, ...(proof === null ? {} : { proof }) };
}

const other = () => {
  const { privateKey: secret } = generateKeyPairSync("ed25519");
  return attestationBy(() => ({ secret, id: keyId(createPublicKey(secret)) }));
};

describe("S3: an approval", () => {
  it.each([
    [
      "signed with the approver's own key, wherever the gate's is",
      given(alice, "desk", ALICE_TOKEN, false),
      null,
      true,
    ],
    ["of a token of the issuer, vouched for by the gate", given(ada, "oidc", null), ATTESTATION, true],
    ["of a token of the issuer, where no key can vouch", given(ada, "oidc", null, false), ATTESTATION, false],
    ["of a token of the issuer, vouched for by another key", given(ada, "oidc", null), other(), false],
    [
      "of a token of the issuer, of one whom no issuer names",
      given({ ...ada, name: "bob" }, "oidc", null),
      ATTESTATION,
      false,
    ],
    ["by a token of which the file has the hash, vouched for", given(old, "desk", "t"), ATTESTATION, true],
    ["by a token of which the file has the hash alone", given(old, "desk", "t", false), ATTESTATION, false],
    [
      "vouched for by the gate where the approver signs",
      given({ ...alice, tokenSha256: "" }, "desk", null),
      ATTESTATION,
      false,
    ],
    ["that the key of somebody else signed", { ...given(bob, "desk", BOB_TOKEN), by: "alice" }, ATTESTATION, false],
    ["of nobody in the file", { ...given(alice, "desk", ALICE_TOKEN), by: "carol" }, ATTESTATION, false],
    ["without a proof", answerOf(alice), ATTESTATION, false],
  ] as const)("%s", (_, approval, attestation, counts) => {
    expect(isProven(approval, approvers, attestation)).toBe(counts);
  });

  it("whose proof or content is another in any place proves nothing, to the gate and to an audit", () => {
    const approvals = [given(alice, "desk", ALICE_TOKEN), given(ada, "oidc", null)];
    const text = (value: string) => fc.nat().map((n) => value.slice(0, n % (value.length + 1)));
    const changed = fc.constantFrom(...approvals).chain((approval) =>
      fc
        .record(
          {
            planId: fc.string(),
            planHash: fc.string(),
            by: fc.constantFrom("alice", "bob", "ada", "old", "carol"),
            reason: fc.string(),
            at: fc.integer(),
            expiresAt: fc.integer(),
            wallExpiresAt: fc.integer(),
            proof: fc.oneof(text(approval.proof ?? ""), ...approvals.map(({ proof = "" }) => fc.constant(proof))),
          },
          { requiredKeys: [] },
        )
        .map((change) => ({ approval, changed: { ...approval, ...change } })),
    );
    const gateKey = createPublicKey(generateKeyPairSync("ed25519").privateKey);
    fc.assert(
      fc.property(changed, ({ approval, changed: one }) => {
        const isSame = JSON.stringify(one) === JSON.stringify(approval);
        expect(isProven(one, approvers, ATTESTATION)).toBe(isSame);
        if (!isSame) expect(provenBy(one, gateKey)).toBe("false");
      }),
      { numRuns: 300 },
    );
  });

  it("by a way that proves nothing here is refused, and the refusal says what to add", async () => {
    const config = { ...policyOf({ mode: "approve" }), approvers: [old] };
    await using world = await openWorld({ config });
    const gate = world.newGate({ attestation: undefined as never });
    const { plan } = await gate.propose(world.draft());
    await expect(gate.approve(plan.id, "t")).rejects.toThrow(
      "nothing would prove in the ledger that old gave it: add approvers[].token_key of old (unship approver-key), or ledger.signing_key to the file",
    );
    expect(await gate.submit(plan.id)).toMatchObject({ outcome: "held" });
  });

  it("is asked of a token that fits both the hash and the key where the file has both", async () => {
    const both = { ...alice, tokenSha256: sha256(BOB_TOKEN) };
    await using world = await openWorld({ config: { ...policyOf({ mode: "approve" }), approvers: [both] } });
    const { plan } = await world.gate.propose(world.draft());
    for (const token of [ALICE_TOKEN, BOB_TOKEN]) {
      await expect(world.gate.approve(plan.id, token)).rejects.toMatchObject({ code: "approval.refused" });
    }
  });
});

describe("an approver's key", () => {
  it("is the same for the same token, another for another, and holds nothing of it", () => {
    expect(approverKey("a").text).toBe(approverKey("a").text);
    expect(approverKey("a").text).not.toBe(approverKey("b").text);
    expect(approverKey(ALICE_TOKEN).text).toMatch(/^ed25519:[\w-]{43}$/);
  });
});
