import { describe, expect, it } from "vitest";
import type { GateReview } from "../../../core/model/plan.ts";
import { callTool } from "../call-tool.ts";
import { caseFile, config, context, deploy, NOW, recordingGate, target } from "../scenario.ts";

const REASON = "checkout fails since this deploy, as rank_candidates says";
const review: GateReview = {
  verdict: "require_approval",
  rules: [
    { rule: "budget", verdict: "allow", reason: "1 of 5" },
    { rule: "evidence", verdict: "require_approval", reason: "no automatic policy condition holds" },
  ],
};
const args = { incident: "inc-1", change_ids: [deploy.id], reason: REASON };

describe("propose_plan", () => {
  it("files the core's own targets, gives every rule's word, and says that it takes a person", async () => {
    const { gate, proposed, submitted } = recordingGate(review);
    const { structured } = await callTool(context({ gate }), "propose_plan", args);
    expect(structured).toMatchObject({
      plan_id: "plan-1",
      verdict: "require_approval",
      targets: ["kubectl_rollout_undo: Deployment production/checkout (checkout) from v1.4.2 back to v1.4.1"],
      rules: [{ rule: "evidence" }, { rule: "budget" }],
      next: "needs a person: run `unship approve plan-1`; the watch or the gate then executes it, and submit_plan says the outcome",
    });
    expect(proposed).toEqual([
      { incidentId: "inc-1", targets: [target], reason: REASON, proposedBy: "mcp:test:unship-chain" },
    ]);
    expect(submitted).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      "a change that nobody knows",
      { ...args, change_ids: ["deploy-x"] },
      /there is no change deploy-x; take ids from list_changes/,
    ],
    ["no change and nothing else", { reason: REASON }, /name change_ids or resume_auto_sync, one of the two/],
    ["both at once", { ...args, resume_auto_sync: "checkout" }, /one of the two/],
    [
      "a service without an application",
      { reason: REASON, resume_auto_sync: "checkout" },
      /names no argocd_application of checkout/,
    ],
    ["a reason of two words", { ...args, reason: "because broken" }, /reason:/],
    ["targets of the caller's own", { ...args, targets: [target] }, /Unrecognized key: "targets"/],
  ])("refuses %s, and nothing reaches the gate", async (_, given, says) => {
    const { gate, proposed } = recordingGate(review);
    const { text, isError } = await callTool(context({ gate }), "propose_plan", given);
    expect(isError).toBe(true);
    expect(text).toMatch(says);
    expect(proposed).toEqual([]);
  });

  it("files the switch of an auto-sync that a rollback switched off", async () => {
    const { gate, proposed } = recordingGate(review);
    const workload = { kind: "Application", namespace: "argocd", name: "shop" };
    const services = {
      checkout: {
        namespace: null,
        workload: null,
        argocdApplication: "shop",
        flags: [],
        criticality: "medium" as const,
        revenuePerMinute: null,
        routes: [],
        mode: null,
      },
    };
    const rollouts = [
      {
        service: "checkout",
        workload,
        version: "aaaaaaaaaa",
        revision: "7",
        status: "complete" as const,
        replicas: { desired: 1, updated: 1, ready: 1, available: 1 },
        restarts: 0,
        revisions: [],
        observedAt: NOW,
      },
    ];
    const { structured } = await callTool(
      context({ gate, config: { ...config(), services }, caseFile: async () => ({ ...caseFile(), rollouts }) }),
      "propose_plan",
      { resume_auto_sync: "checkout", reason: REASON },
    );
    expect(structured).toMatchObject({
      targets: [
        "argocd_resume_auto_sync: Application argocd/shop (checkout) at aaaaaaaaaa, from auto-sync-off to auto-sync-on",
      ],
    });
    expect(proposed).toMatchObject([
      { incidentId: "none", targets: [{ action: "argocd_resume_auto_sync", object: workload }] },
    ]);
  });

  describe("of a version on trial", () => {
    const workload = { kind: "Rollout", namespace: "production", name: "checkout" };
    const trial = {
      service: "checkout",
      workload,
      version: "v1.4.2",
      revision: "7",
      status: "paused" as const,
      replicas: { desired: 4, updated: 1, ready: 4, available: 4 },
      restarts: 0,
      revisions: [],
      observedAt: NOW,
      stable: { version: "v1.4.1", revision: "6" },
    };
    const allowing = (...types: ("rollout_pause" | "rollout_promote")[]) =>
      config({
        allowedActions: types.map((type) => ({
          type,
          namespaces: null,
          applications: null,
          environments: null,
          requireApproval: false,
          maxRollbacksPerHour: null,
        })),
      });

    it.each([
      ["pause", "paused"],
      ["promote", "promoted"],
    ] as const)("files what would %s it, for a person to agree", async (act, ends) => {
      const { gate, proposed } = recordingGate(review);
      const { structured } = await callTool(
        context({
          gate,
          config: allowing("rollout_pause", "rollout_promote"),
          caseFile: async () => caseFile({ rollouts: [trial] }),
        }),
        "propose_plan",
        { ...args, act },
      );
      expect(structured).toMatchObject({
        targets: [`rollout_${act}: Rollout production/checkout (checkout) at v1.4.2, from 7 to ${ends}`],
      });
      expect(proposed).toMatchObject([
        { targets: [{ action: `rollout_${act}`, restore: { version: "v1.4.2", revision: ends } }] },
      ]);
    });

    it.each<[string, Parameters<typeof context>[0], RegExp]>([
      [
        "the file does not allow it",
        { config: allowing("rollout_pause"), caseFile: async () => caseFile({ rollouts: [trial] }) },
        /the file does not allow rollout_promote/,
      ],
      ["nothing is on trial", { config: allowing("rollout_promote") }, /has no version of checkout \S+ → \S+ on trial/],
    ])("files nothing where %s, and says so", async (_, world, says) => {
      const { gate, proposed } = recordingGate(review);
      const { text, isError } = await callTool(context({ gate, ...world }), "propose_plan", {
        ...args,
        act: "promote",
      });
      expect(isError).toBe(true);
      expect(text).toMatch(says);
      expect(proposed).toEqual([]);
    });
  });

  it("says why a change cannot be taken back", async () => {
    const { gate } = recordingGate(review);
    const targetsFor = async () => ({ targets: [], obstacles: ["checkout has no known-good version"] });
    const { text, isError } = await callTool(context({ gate, targetsFor }), "propose_plan", args);
    expect(isError).toBe(true);
    expect(text).toContain("deploy-checkout-7 cannot be rolled back: checkout has no known-good version.");
  });
});
