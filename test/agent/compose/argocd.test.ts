import { afterEach, describe, expect, it } from "vitest";
import { openLiveSystem } from "../../../agent/compose/live-system.ts";
import type { Config } from "../../../core/config/config.ts";
import { loadConfig } from "../../../core/config/load.ts";
import type { Target } from "../../../core/model/plan.ts";
import { assessmentOf, changeOf, policyOf } from "../../core/guardrails/rule-inputs.ts";
import { commit, type FakeArgocd, fakeApplication, fakeArgocd } from "../../fakes/fake-argocd.ts";
import { ALICE_TOKEN, openWorld } from "../../mcp-tools/gate/gate-world.ts";

const never = new AbortController().signal;
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const GOOD = commit("a");
const BAD = commit("b");
const workload = (name: string, kind = "Deployment") => ({ version: "v1", kind, namespace: "shop", name });

/** The live system of a file that names this Argo CD and nothing else that answers. */
async function openWith(argocd: FakeArgocd) {
  const text = `
data_sources:
  metrics: { type: prometheus, endpoint: "http://127.0.0.1:9" }
  deployments: { type: argocd_webhook, endpoint: "${argocd.url.href}", token: "\${ARGOCD_TOKEN}" }
services:
  cart: { argocd_application: cart }
  mail: { argocd_application: mail-prod }
execution:
  allowed_actions: [{ type: argocd_sync_to_previous, applications: ["cart"], require_approval: false }]
  guardrails: { never_auto_rollback: [billing-service] }
`;
  const environment = { ARGOCD_TOKEN: argocd.token, PATH: process.env.PATH };
  const loaded = loadConfig(text, "unship.yaml", environment);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const config: Config = loaded.config;
  const system = await openLiveSystem({ config, clock: { now: Date.now }, environment, act: true, note: () => {} });
  stops.push(system.close);
  return { config, system };
}

const POD = { spec: { containers: [{ name: "app", image: "shop/cart:1" }] } };
const target: Target = {
  action: "argocd_sync_to_previous",
  service: "cart",
  changeId: "deploy-2",
  object: { kind: "Application", namespace: "argocd", name: "cart" },
  expected: { version: "bbbbbbbbbb", revision: "1" },
  restore: { version: "aaaaaaaaaa", revision: "0" },
};

/** A gate over the system's own executors whose fresh decision is to take the application back. */
async function gateOver(argocd: FakeArgocd) {
  const { config, system } = await openWith(argocd);
  const { services, allowedActions, guardrails } = config;
  const world = await openWorld({
    config: { ...policyOf(), services, allowedActions, guardrails, mode: "auto" },
    parts: { executors: system.executors, limits: { executeTimeoutMs: 20_000 } },
  });
  stops.push(async () => world[Symbol.asyncDispose]());
  world.assessment = assessmentOf({ targets: [target], changes: [changeOf(target)] });
  const { plan, review } = await world.gate.propose(world.draft({ targets: [target] }));
  return { world, plan, review };
}

describe("Argo CD in a configuration", () => {
  it("is opened with its history, its applications and its executor, and says who is there", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD])]);
    const { system } = await openWith(argocd);
    const [changes] = system.sources.changes;
    expect(await changes?.changes({ from: 0, to: Date.UTC(2100, 0) }, never)).toHaveLength(2);
    expect(system.executors.map(({ action }) => action)).toEqual([
      "argocd_sync_to_previous",
      "argocd_resume_auto_sync",
    ]);
    const report = await system.report(never);
    expect(report.find(({ text }) => text.startsWith("argocd"))).toEqual({
      ok: true,
      text: `argocd ${argocd.url.origin}/: Argo CD v3.1.0, 1 applications; CAUTION: mail-prod of mail is not among them`,
    });
    expect(argocd.writes).toEqual([]);
  });

  it("a wrong token is said, and is no secret that is told", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD])]);
    const { system } = await openWith({ ...argocd, token: "wrong-token-000000" });
    const report = (await system.report(never)).find(({ text }) => text.startsWith("argocd"));
    expect(report).toMatchObject({ ok: false });
    expect(report?.text).not.toContain("wrong-token");
  });
});

describe("Argo CD behind the gate", () => {
  it("S3: an application that reaches a protected or unmapped service holds the whole plan", async () => {
    const resources = [workload("cart"), workload("billing-service", "StatefulSet"), workload("nightly", "CronJob")];
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD], { resources, automated: {} })]);
    const { world, plan, review } = await gateOver(argocd);
    const reach = review.rules.find(({ rule }) => rule === "reach");
    expect(reach).toMatchObject({ verdict: "require_approval" });
    expect(reach?.reason).toContain("reaches billing-service, which is listed under never_auto_rollback");
    expect(reach?.reason).toContain("reaches nightly, which no service of the file describes");
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "held", results: [] });
    expect(argocd.writes).toEqual([]);
  });

  it("S3: so does an object of a protected name that runs nothing", async () => {
    const resources = [workload("cart"), workload("billing-service", "ConfigMap")];
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD], { resources })]);
    const { review } = await gateOver(argocd);
    expect(review.rules.find(({ rule }) => rule === "reach")?.reason).toContain("billing-service");
  });

  it("S1: asks nobody where an automatic condition holds and nothing speaks against it", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD], { automated: {} })]);
    const cart = { kind: "Deployment", metadata: { name: "cart" }, spec: { replicas: 2, template: POD } };
    argocd.setLive("cart", [cart]);
    argocd.setManifests(GOOD, [cart]);
    const { world, plan, review } = await gateOver(argocd);
    expect(review.rules.filter(({ verdict }) => verdict !== "allow")).toEqual([]);
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "executed", results: [{ result: "done" }] });
    expect(argocd.application("cart").status.history.at(-1)?.revision).toBe(GOOD);
  });

  it("a plan that a person approved goes back through Argo CD, and the answer says what is left to do", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD], { automated: { selfHeal: true } })]);
    const { world, plan } = await gateOver(argocd);
    await world.gate.approve(plan.id, ALICE_TOKEN);
    const answer = await world.gate.submit(plan.id);
    expect(answer).toMatchObject({ outcome: "executed", results: [{ result: "done" }] });
    expect(argocd.application("cart").status.history.at(-1)?.revision).toBe(GOOD);
    expect(answer.results[0]?.warnings.join()).toContain("Git still asks for bbbbbbbbbb");
  });

  it("S6: a plan for a version that does not stand there any more is denied", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD])]);
    const { world, plan } = await gateOver(argocd);
    argocd.sync("cart", commit("c"));
    await world.gate.approve(plan.id, ALICE_TOKEN);
    expect(await world.gate.submit(plan.id)).toMatchObject({ outcome: "denied" });
    expect(argocd.writes).toEqual([]);
  });
});
