import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ServiceConfig } from "../../../core/config/config.ts";
import { review } from "../../../core/guardrails/review.ts";
import type { RuleInput } from "../../../core/guardrails/rule.ts";
import type { Change } from "../../../core/model/change.ts";
import type { Target } from "../../../core/model/plan.ts";
import { freezeOf, twoPersons } from "./limit-rows.ts";
import {
  assessmentOf,
  changeOf,
  flagOf,
  HOUR,
  inputOf,
  intentOf,
  MINUTE,
  NOW,
  planOf,
  policyOf,
  serviceOf,
  targetOf,
} from "./rule-inputs.ts";
import { standing } from "./rule-situations.ts";

/** Payments runs as the Deployment pay-api; cart is deployed by the Argo CD application shop. */
const payApi = { kind: "Deployment", name: "pay-api" };
const payments = (change: Partial<ServiceConfig> = {}) => serviceOf({ workload: payApi, ...change });
const cart = serviceOf({ argocdApplication: "shop", flags: ["both"] });
const synced = targetOf({
  action: "argocd_sync_to_previous",
  service: "cart",
  object: { kind: "Application", namespace: "argocd", name: "shop" },
});
const switched = flagOf({ service: "cart", object: { kind: "Flag", namespace: "default", name: "both" } });
const undone = targetOf({ service: "payments", object: { ...payApi, namespace: "production" } });
const ofCart = targetOf({ name: "cart" });

/** Every way in which a plan for cart can be one for payments as well. */
const WAYS: readonly (readonly [string, Target, Partial<ServiceConfig>, readonly string[] | undefined])[] = [
  ["an application of which Argo CD says that it deploys the workload", synced, {}, ["cart", "pay-api"]],
  ["an application that the file names for both", synced, { argocdApplication: "shop" }, ["cart", "pay-api"]],
  [
    "an application that the file names for both, and Argo CD does not answer",
    synced,
    { argocdApplication: "shop" },
    undefined,
  ],
  ["a flag of both", switched, { flags: ["both"] }, undefined],
  ["a flag of which its own system says that payments evaluates it", switched, {}, ["cart", "payments"]],
  ["a workload of both", { ...undone, service: "cart" }, {}, undefined],
];

type Put = (
  input: RuleInput,
  ofPayments: (change: Partial<ServiceConfig>) => RuleInput["policy"]["services"],
) => RuleInput;
const policy = (input: RuleInput, change: Partial<RuleInput["policy"]>): RuleInput => ({
  ...input,
  policy: { ...input.policy, ...change },
});
const store = (input: RuleInput, change: Partial<RuleInput["store"]>): RuleInput => ({
  ...input,
  store: { ...input.store, ...change },
});
const pausedAs =
  (scope: string): Put =>
  (input) =>
    store(input, { pauses: [{ scope, by: "zoe", at: NOW - MINUTE }] });
/** A flag of payments alone, switched off by itself. */
const ownFlag = flagOf({ service: "payments", object: { kind: "Flag", namespace: "default", name: "pay-v2" } });
const twice = [1, 2].map((n) => intentOf({ target: ownFlag, planId: `p${n}`, reservedAt: NOW - n * HOUR }));
const schemaOfPayments: Change = {
  ...{
    id: "schema",
    kind: "migration",
    service: "payments",
    from: "1",
    to: "2",
    source: "migrations",
    reversible: true,
  },
  ...{ startedAt: NOW - 12 * MINUTE, finishedAt: NOW - 11 * MINUTE },
};

/** What can stand against payments, and the rule that must say it. */
const AGAINST: readonly (readonly [string, Put, string, string, "deny" | "require_approval"])[] = [
  [
    "mode observe",
    (i, of) => policy(i, { services: of({ mode: "observe" }) }),
    "mode",
    "payments runs in mode observe",
    "deny",
  ],
  [
    "mode approve",
    (i, of) => policy(i, { services: of({ mode: "approve" }) }),
    "mode",
    "payments runs in mode approve",
    "require_approval",
  ],
  ["a pause", pausedAs("payments"), "paused", "payments is paused", "deny"],
  ["a pause under the name of its workload", pausedAs("pay-api"), "paused", "pay-api is paused", "deny"],
  [
    "a freeze",
    (i) => policy(i, { freezeWindows: [freezeOf({ services: ["payments"], rollbacks: "deny" })] }),
    "freeze",
    "launch",
    "deny",
  ],
  [
    "a cooldown",
    (i) => store(i, { used: [intentOf({ target: ownFlag, reservedAt: NOW - MINUTE })] }),
    "cooldown",
    "payments was rolled back",
    "require_approval",
  ],
  [
    "rollbacks in a row",
    (i) => store(i, { automatic: twice }),
    "escalation",
    "payments was rolled back 2 times",
    "require_approval",
  ],
  [
    "two people",
    (i) => policy(i, { approval: twoPersons({ services: ["payments"] }).approval }),
    "two-persons",
    "of payments",
    "require_approval",
  ],
];

const inputFor = (target: Target, change: Partial<ServiceConfig>, reaches: readonly string[] | undefined, put: Put) => {
  const services = (more: Partial<ServiceConfig>) => ({ cart, payments: payments({ ...change, ...more }) });
  const input = inputOf({
    plan: planOf({ targets: [target] }),
    policy: policyOf({ services: services({}) }),
    targets: standing(
      target,
      target.expected.version,
      target.expected.revision,
      reaches === undefined ? {} : { reaches },
    ),
  });
  return put(input, services);
};

describe("whoever a plan touches", () => {
  const cases = WAYS.flatMap(([way, ...how]) =>
    AGAINST.map(([against, ...what]) => [against, way, how, what] as const),
  );

  it.each(cases)("%s of payments holds %s", (_, __, [target, change, reaches], [put, rule, says, verdict]) => {
    const input = inputFor(target, change, reaches, put);
    expect(review(input).rules).toContainEqual({ rule, verdict, reason: expect.stringContaining(says) });
    expect(review(input).rules.find((one) => one.rule === rule)?.reason).not.toContain("cart runs");
  });

  it.each(AGAINST)("%s of payments holds nothing that touches cart alone", (_, put, rule) => {
    const input = inputFor(ofCart, {}, undefined, put);
    expect(review(input).rules.filter((one) => one.rule === rule)).toEqual([]);
  });

  it.each([
    ["the workload that it reaches stands under never_auto_rollback", "pay-api"],
    ["the service of that workload does", "payments"],
  ])("is protected where %s", (_, name) => {
    const guardrails = { ...policyOf().guardrails, neverAutoRollback: [name] };
    const input = inputFor(synced, {}, ["cart", "pay-api"], (one) => policy(one, { guardrails }));
    expect(review(input).rules).toContainEqual({
      rule: "reach",
      verdict: "require_approval",
      reason: expect.stringContaining(`reaches ${name}, which is listed under never_auto_rollback`),
    });
  });

  it("has its schema, too", () => {
    const changes = [schemaOfPayments, changeOf(synced)];
    const input = inputFor(synced, {}, ["cart", "pay-api"], (one) => ({
      ...one,
      assessment: assessmentOf({ targets: [synced], changes }),
    }));
    expect(review(input).rules.find((one) => one.rule === "one-way-migration")?.reason).toContain(
      "migration schema of payments",
    );
  });
});

describe("an act that touched payments beside its own service", () => {
  const own = [
    ["its Deployment", undone],
    ["its own flag", ownFlag],
    ["an application of its own", { ...synced, service: "payments", object: { ...synced.object, name: "pay" } }],
  ] as const;
  const cases = WAYS.flatMap(([way, target, change, reaches]) =>
    own.map(([what, plan]) => [what, way, plan, target, change, reaches] as const),
  );
  const following = (
    plan: Target,
    target: Target,
    change: Partial<ServiceConfig>,
    reaches: readonly string[] | undefined,
  ) => {
    const services = { cart, payments: payments(change) };
    const act = intentOf({ target, planId: "first", reservedAt: NOW - MINUTE, ...(reaches ? { reaches } : {}) });
    const acts = [act, { ...act, planId: "second" }];
    return inputOf({
      plan: planOf({ targets: [plan] }),
      policy: policyOf({ services }),
      targets: standing(plan, plan.expected.version, plan.expected.revision),
      store: { used: acts, automatic: acts },
    });
  };

  it.each(cases)("rests, and counts, for %s after %s", (_, __, plan, target, change, reaches) => {
    const spoke = review(following(plan, target, change, reaches)).rules.map(({ rule }) => rule);
    expect(spoke).toEqual(expect.arrayContaining(["cooldown", "escalation"]));
  });

  it("counts for nobody whom it did not touch", () => {
    const spoke = review(following(targetOf({ name: "search" }), synced, {}, ["cart", "pay-api"])).rules;
    expect(spoke.map(({ rule }) => rule)).not.toEqual(expect.arrayContaining(["cooldown"]));
    expect(spoke.map(({ rule }) => rule)).not.toEqual(expect.arrayContaining(["escalation"]));
  });

  it("is busy for its Deployment while its result is unknown, and for no other", () => {
    const busy = [intentOf({ target: synced, reaches: ["cart", "pay-api"], finishedAt: null, result: null })];
    const spoke = (plan: Target) => {
      const input = following(plan, synced, {}, undefined);
      return review(store(input, { busy })).rules.map(({ rule }) => rule);
    };
    expect(spoke(undone)).toContain("target-busy");
    expect(spoke(targetOf({ name: "search" }))).not.toContain("target-busy");
  });
});

describe("a row of rollbacks", () => {
  const at = (service: string, n: number) =>
    intentOf({ target: targetOf({ service }), planId: `p${n}`, reservedAt: NOW - n * HOUR });
  const twins = {
    checkout: serviceOf(),
    "checkout-web": serviceOf({ workload: { kind: "Deployment", name: "checkout" } }),
  };
  const row = (change: Partial<RuleInput["store"]>, services = {}, target = targetOf()) =>
    review(inputOf({ plan: planOf({ targets: [target] }), policy: policyOf({ services }), store: change }))
      .rules.filter(({ rule }) => rule === "escalation")
      .map(({ reason }) => reason);

  it.each([
    ["under two services of the file", ["checkout", "checkout-web"], twins],
    ["under two spellings that the file does not describe", ["Checkout", "checkout"], {}],
    ["under names that have nothing in common", ["web", "shop"], {}],
  ])("follows the object %s", (_, names, services) => {
    expect(row({ automatic: names.map(at) }, services)[0]).toContain("checkout was rolled back 2 times");
  });

  it("of one workload ends with a healthy change under any of its names", () => {
    const automatic = ["checkout", "checkout-web"].map(at);
    expect(row({ automatic, healthy: new Map([["checkout-web", NOW - HOUR]]) }, twins)).toEqual([]);
    expect(row({ automatic, healthy: new Map([["search", NOW]]) }, twins)).not.toEqual([]);
  });

  it("is not one of workloads of the same name in two namespaces that the file tells apart", () => {
    const named = { kind: "Deployment", name: "api" };
    const regions = {
      "api-eu": serviceOf({ workload: named, namespace: "eu" }),
      "api-us": serviceOf({ workload: named, namespace: "us" }),
    };
    const api = (service: string, namespace: string) => targetOf({ service, object: { ...named, namespace } });
    const automatic = [1, 2].map((n) =>
      intentOf({ target: api("api-us", "us"), planId: `p${n}`, reservedAt: NOW - HOUR }),
    );
    expect(row({ automatic }, regions, api("api-eu", "eu"))).toEqual([]);
    expect(row({ automatic }, regions, api("api-us", "us"))).not.toEqual([]);
  });
});

describe("a change that somebody else began after onset", () => {
  const ofAda = (workload: Change["workload"], change: Partial<Change> = {}): Change => ({
    ...changeOf(targetOf({ name: "cart" }), { id: "ada-1", author: "kubectl-set", startedAt: NOW - 2 * MINUTE }),
    ...(workload === undefined ? {} : { workload }),
    ...change,
  });
  const at = (name: string, namespace = "production") => ({ kind: "Deployment", namespace, name });
  const { author: _, ...byNobody } = ofAda(at("cron"), { service: "cron" });
  const spoke = (target: Target, change: Change, reaches?: readonly string[]) => {
    const input = inputFor(target, {}, reaches, (one) => ({
      ...one,
      assessment: assessmentOf({ targets: [target], changes: [changeOf(target), change] }),
    }));
    return review(input).rules.some(({ rule }) => rule === "stale");
  };
  const reaches = ["cart", "pay-api"];

  it.each([
    ["of a workload of the application's service", synced, ofAda(at("cart")), true],
    [
      "of a workload of another service that the application deploys",
      synced,
      ofAda(at("pay-api"), { service: "payments" }),
      true,
    ],
    ["of a workload that nobody has described", synced, ofAda(at("cron"), { service: "cron" }), true],
    ["of a workload that it does not deploy", synced, ofAda(at("search"), { service: "search" }), false],
    [
      "by whoever the workload names as its author",
      synced,
      ofAda(at("cron"), { service: "cron", author: "ada" }),
      true,
    ],
    ["by nobody who is named, within the time that the sync's waves may take", synced, byNobody, false],
    [
      "by Argo CD, within the time that the sync's waves may take",
      synced,
      ofAda(at("pay-api"), { service: "payments", author: "argocd-controller" }),
      false,
    ],
    [
      "by Argo CD, long after the sync",
      synced,
      ofAda(at("pay-api"), { service: "payments", author: "argocd-controller", startedAt: NOW + MINUTE }),
      true,
    ],
    ["of a flag of the service", synced, ofAda(undefined, { kind: "flag", flag: "both" }), false],
    ["of the application that deploys the workload", ofCart, ofAda(synced.object), true],
    [
      "of the application of another service",
      ofCart,
      ofAda({ ...synced.object, name: "pay" }, { service: "payments" }),
      false,
    ],
    ["of the application, and the plan switches a flag off", switched, ofAda(synced.object), false],
    ["of the workload, in a namespace that was not told", ofCart, ofAda(at("cart", "")), true],
    ["of a workload of that name in another namespace", ofCart, ofAda(at("cart", "staging")), false],
  ])("%s: %#", (_, target, change, stale) => {
    expect(spoke(target, change, target === synced ? [...reaches, "cron"] : undefined)).toBe(stale);
  });
});

describe("rules", () => {
  it("ask touched.ts alone whom a plan concerns", () => {
    const folder = join(import.meta.dirname, "../../../core/guardrails/rules");
    const asking = readdirSync(folder).filter((file) =>
      /\b(?:namesOf|namesOfService|servicesOf|targetService)\b|state\??\.(?:reaches|touches)|\bskeleton\b/.test(
        readFileSync(join(folder, file), "utf8"),
      ),
    );
    expect(asking).toEqual([]);
  });
});
