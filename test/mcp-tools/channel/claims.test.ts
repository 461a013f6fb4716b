import { describe, expect, it } from "vitest";
import { FINISHED, WRITTEN } from "../../../agent/watch/aftermath.ts";
import { CHAIN_FINISHED } from "../../../agent/watch/arguing.ts";
import { CANARY_JUDGED } from "../../../agent/watch/canaries.ts";
import { DRIFTED } from "../../../agent/watch/drift.ts";
import { PROMOTION_PROPOSED } from "../../../agent/watch/promotions.ts";
import { LEDGER_KINDS } from "../../../core/guardrails/gate-store.ts";
import { whyNotWritten } from "../../../mcp-tools/channel/claims.ts";

describe("what the agent writes down through the gate", () => {
  const { noticeSent, noticeUndelivered, knowledgeForgotten } = LEDGER_KINDS;
  const own = [FINISHED, WRITTEN, CHAIN_FINISHED, CANARY_JUDGED, DRIFTED, PROMOTION_PROPOSED];

  it.each([...own, noticeSent, noticeUndelivered, knowledgeForgotten])(
    "is what the watch and its commands write: %s",
    (kind) => {
      expect(whyNotWritten({ kind, incidentId: null, planId: null, actor: "watch", body: {} })).toBeNull();
    },
  );

  it("is not what the gate has to see itself", () => {
    const draft = { kind: LEDGER_KINDS.changeHealthy, incidentId: null, planId: null, actor: "watch", body: {} };
    expect(whyNotWritten(draft)).toContain("the gate's alone");
  });
});
