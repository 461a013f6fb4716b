import { describe, expect, it } from "vitest";
import { commit, type FakeArgocd, fakeApplication, fakeArgocd } from "../../../fakes/fake-argocd.ts";
import { BAD, cartTarget, executorFor, GOOD, never } from "./setting.ts";

const PATCH = "PATCH /api/v1/applications/cart";
const ROLLBACK = "POST /api/v1/applications/cart/rollback";
const AUTOMATED = { prune: true, selfHeal: true };

const cart = (automated?: Record<string, unknown>) =>
  fakeApplication("cart", [GOOD, BAD], automated === undefined ? {} : { automated });
const calls = ({ writes }: FakeArgocd) => writes.map(({ call }) => call);
const live = (argocd: FakeArgocd) => argocd.application("cart").status.history.at(-1)?.revision;
const automatedOf = (argocd: FakeArgocd) => argocd.application("cart").spec.syncPolicy?.automated;

describe("Argo CD: back to an entry of the history", () => {
  it("takes the application back by its rollback API, and says what is left to do", async () => {
    await using argocd = await fakeArgocd([cart()]);
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result).toMatchObject({ result: "done" });
    expect(result.detail).toContain("rolled back: it is at id 2 (aaaaaaaaaa), synced by unship");
    expect(calls(argocd)).toEqual([PATCH, ROLLBACK]);
    expect(argocd.writes.at(-1)?.body).toEqual({
      name: "cart",
      appNamespace: "argocd",
      id: 0,
      dryRun: false,
      prune: false,
    });
    expect(live(argocd)).toBe(GOOD);
    expect(result.warnings.join(" ")).toContain("Git still asks for bbbbbbbbbb");
    expect(result.warnings.join(" ")).toContain("the next sync by hand brings that version back");
  });

  // PEERS 1, 2: the API refuses while auto-sync is on; there is no way around it.
  it("switches auto-sync off first, since Argo CD refuses a rollback while it is on", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result.result).toBe("done");
    expect(calls(argocd)).toEqual([PATCH, ROLLBACK]);
    expect(calls(argocd).some((call) => call.endsWith("/sync"))).toBe(false);
    expect(result.warnings.join(" ")).toContain("Auto-sync is switched off");
  });

  // PEERS 3
  it.each([
    ["on by its presence alone", { prune: true, selfHeal: true, allowEmpty: true }],
    ["on with no other key", {}],
    ["on with enabled: true", { prune: false, selfHeal: true, enabled: true }],
  ])("sets automated.enabled to false and nothing else of the spec: %s", async (_, automated) => {
    const before = cart(automated);
    await using argocd = await fakeArgocd([before]);
    await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    const { syncPolicy, ...rest } = argocd.application("cart").spec;
    const { syncPolicy: _before, ...restBefore } = before.spec;
    expect(syncPolicy?.automated).toEqual({ ...before.spec.syncPolicy?.automated, enabled: false });
    expect(rest).toEqual(restBefore);
  });

  it("tests the resourceVersion that it judged, in the same write", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    const patch = JSON.parse(String(argocd.writes[0]?.body.patch));
    expect(patch[0]).toEqual({ op: "test", path: "/metadata/resourceVersion", value: "1" });
    expect(patch.map(({ op, path }: { op: string; path: string }) => `${op} ${path}`)).toEqual([
      "test /metadata/resourceVersion",
      "add /spec/syncPolicy/automated/enabled",
      "add /metadata/annotations",
      "add /metadata/annotations/unship.dev~1rollback",
    ]);
  });

  it("leaves an auto-sync that is off as it is", async () => {
    await using argocd = await fakeArgocd([cart({ ...AUTOMATED, enabled: false })]);
    await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    const patch = JSON.parse(String(argocd.writes[0]?.body.patch)) as { path: string }[];
    expect(patch.filter(({ path }) => path.startsWith("/spec"))).toEqual([]);
    expect(automatedOf(argocd)).toEqual({ ...AUTOMATED, enabled: false });
  });

  it("reads again and judges again where somebody was quicker, and does not write over them", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    argocd.onWrite((turn) => {
      if (turn === 1) argocd.sync("cart", commit("c"));
      return "go on";
    });
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result).toMatchObject({ result: "stale" });
    expect(result.detail).toContain("it is at id 2 (cccccccccc), synced by ada");
    expect(automatedOf(argocd)).toEqual(AUTOMATED);
    expect(calls(argocd)).toEqual([PATCH]);
  });

  it("goes on where only the status changed between reading and writing", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    argocd.onWrite((turn) => {
      if (turn <= 2) argocd.touch("cart");
      return "go on";
    });
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result.result).toBe("done");
    expect(calls(argocd)).toEqual([PATCH, PATCH, PATCH, ROLLBACK]);
  });
});

describe("Argo CD: what a rollback leaves out is told", () => {
  // PEERS 5
  it("hooks and pruning", async () => {
    await using argocd = await fakeArgocd([cart()]);
    argocd.application("cart").status.resources.push({
      group: "batch",
      version: "v1",
      kind: "Job",
      namespace: "shop",
      name: "warm-up",
      hook: true,
    });
    const { warnings } = await executorFor(argocd).inspect(cartTarget(), never);
    expect(warnings).toContain("Hooks do not run in a rollback; this application has Job warm-up.");
    expect(warnings).toContain("Nothing is pruned: what the present version added stays.");
  });

  it("a window that denies automatic syncs alone", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    argocd.setWindows("cart", {
      canSync: true,
      activeWindows: [{ kind: "deny", schedule: "0 22 * * *", duration: "8h", manualSync: true }],
    });
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result.result).toBe("done");
    expect(result.warnings.join()).toContain("A sync window denies automatic syncs now");
  });

  it("all that it reaches: what runs, what it deploys, and what else lies in it", async () => {
    const of = (kind: string, name: string) => ({ version: "v1", kind, namespace: "shop", name });
    const resources = [
      of("Deployment", "cart"),
      of("CronJob", "report"),
      of("Application", "billing"),
      of("Service", "billing-service"),
    ];
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD], { resources })]);
    const state = await executorFor(argocd).inspect(cartTarget(), never);
    expect(state).toMatchObject({
      version: "bbbbbbbbbb",
      revision: "1",
      reaches: ["cart", "report", "billing"],
      touches: ["billing-service"],
    });
  });
});
