import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Config } from "../../../core/config/config.ts";
import type { Approval } from "../../../core/guardrails/gate-store.ts";
import { lacksApprovers, whoApproves, whoApprovesText } from "../../../core/guardrails/who-approves.ts";
import type { ActionType, Target } from "../../../core/model/plan.ts";
import { enoughApprovals } from "../../../mcp-tools/gate/approvals.ts";
import { loaded, UNSHIP } from "../config/fixtures.ts";
import { NOW, planOf, targetOf } from "./rule-inputs.ts";

const LEVELS = ["low", "medium", "high", "critical"] as const;
const NAMES = ["cart", "billing", "search"];
const UNDESCRIBED = "zz-not-in-the-file";
const ACTIONS = ["kubectl_rollout_undo", "rollout_abort"] as const;

/** Configurations of three services at most, three approvers and two rules of two persons. */
const rights = fc
  .record({
    services: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(...LEVELS), { maxKeys: 3 }),
    approvers: fc.uniqueArray(
      fc.record({
        name: fc.constantFrom("ada", "grace", "linus"),
        services: fc.option(fc.uniqueArray(fc.constantFrom(...NAMES, UNDESCRIBED), { minLength: 1 })),
        actions: fc.option(fc.uniqueArray(fc.constantFrom(...ACTIONS), { minLength: 1 })),
        upTo: fc.constantFrom(...LEVELS),
      }),
      { selector: ({ name }) => name, maxLength: 3 },
    ),
    twoPersons: fc.array(
      fc.record({
        services: fc.option(fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 })),
        actions: fc.option(fc.uniqueArray(fc.constantFrom(...ACTIONS), { minLength: 1 })),
        criticality: fc.option(fc.constantFrom(...LEVELS)),
      }),
      { maxLength: 2 },
    ),
  })
  .map(({ services, approvers, twoPersons }) => {
    const base = loaded(UNSHIP);
    const described = Object.entries(services).map(([name, criticality]) => {
      const service: Config["services"][string] = {
        namespace: null,
        workload: null,
        argocdApplication: null,
        flags: [],
        criticality,
        revenuePerMinute: null,
        routes: [],
        mode: null,
      };
      return [name, service] as const;
    });
    return {
      ...base,
      services: Object.fromEntries(described),
      approvers: approvers.map((one) => ({ ...one, tokenSha256: "0" })),
      approval: { ...base.approval, twoPersons },
      allowedActions: ACTIONS.map((type) => ({ ...NOWHERE_SPECIAL, type })),
    };
  });
const NOWHERE_SPECIAL = {
  namespaces: null,
  applications: null,
  environments: null,
  requireApproval: true,
  maxRollbacksPerHour: null,
};

const yes = (by: string): Approval => ({
  planId: "plan-1",
  planHash: "hash",
  answer: "approve",
  by,
  reason: "",
  at: NOW,
  expiresAt: NOW + 1,
  wallExpiresAt: NOW + 1,
});

/** Whether the gate would take the plan's approval for enough if every approver of the file said yes. */
function gateTakes(config: Config, action: ActionType, service: string): boolean {
  const target: Target = targetOf({ action, service, name: service });
  const plan = planOf({ id: "plan-1", hash: "hash", targets: [target] });
  const all = config.approvers.map(({ name }) => yes(name));
  return enoughApprovals(plan, all, { now: NOW, clockNow: NOW }, config).length > 0;
}

describe("S3: every action that a file allows can be approved by somebody, or `check` says so", () => {
  it("it says possible of exactly what the gate would let through with everybody's yes", () => {
    let impossible = 0;
    fc.assert(
      fc.property(rights, (config) => {
        const answers = whoApproves(config);
        for (const action of ACTIONS) {
          for (const service of [...Object.keys(config.services), null]) {
            const one = answers.find((row) => row.action === action && row.services.includes(service));
            // A name that only an approver's list knows may be approved by them; of any other one cannot say so.
            const name = service ?? "zz-in-no-list-either";
            expect(one?.possible, `${action} of ${name}`).toBe(gateTakes(config, action, name));
            if (one?.possible === false) impossible += 1;
          }
        }
      }),
      { numRuns: 400, seed: 7 },
    );
    expect(impossible).toBeGreaterThan(100);
  });

  it("names who, and how many of them", () => {
    expect(whoApproves(loaded(UNSHIP)).map(whoApprovesText)).toEqual([
      "kubectl_rollout_undo of checkout, billing, any service that the file does not describe (it counts as critical): two of ada, grace.",
      "kubectl_rollout_undo of recommendations: one of ada, grace, linus.",
    ]);
  });

  it.each([
    ["two are needed and one may", { approvers: [0] }, true],
    ["nobody is named, and nothing asks for anybody", { approvers: [] }, false],
    ["nobody is named, and it acts only when somebody agrees", { approvers: [], mode: "approve" }, true],
  ] as const)("%s", (_, { approvers, ...change }, lacking) => {
    const base = loaded(UNSHIP);
    const config = { ...base, ...change, approvers: approvers.flatMap((index) => base.approvers[index] ?? []) };
    expect(lacksApprovers(config, whoApproves(config))).toBe(lacking);
  });
});

it("the shipped example lets every action be approved", () => {
  const config = loaded(UNSHIP);
  expect(whoApproves(config).filter(({ possible }) => !possible)).toEqual([]);
});
