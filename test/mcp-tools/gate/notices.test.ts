import { describe, expect, it } from "vitest";
import type { ActionType } from "../../../core/model/plan.ts";
import { actOf } from "../../../mcp-tools/gate/notices.ts";
import { targetOf } from "../../core/guardrails/rule-inputs.ts";

describe("the headline of a notice", () => {
  const rows: readonly (readonly [readonly ActionType[], string])[] = [
    [["kubectl_rollout_undo"], "rollback of checkout"],
    [["feature_flag_disable"], "rollback of checkout"],
    [["rollout_abort"], "rollback of checkout"],
    [["rollout_promote"], "promotion of checkout"],
    [["rollout_pause"], "pause of checkout"],
    [["argocd_resume_auto_sync"], "auto-sync of checkout"],
    [["rollout_pause", "kubectl_rollout_undo"], "rollback of checkout"],
  ];

  it.each(rows)("%s: %s", (actions, said) => {
    expect(actOf({ targets: actions.map((action) => targetOf({ action })) })).toBe(said);
  });

  it("names each service once", () => {
    const targets = [targetOf(), targetOf({ service: "web" }), targetOf()];
    expect(actOf({ targets })).toBe("rollback of checkout, web");
  });
});
