import { describe, expect, it } from "vitest";
import { sharedChange } from "../../../../core/correlation/shared-change.ts";
import type { Change } from "../../../../core/model/change.ts";
import { commit, FIRST_SYNC, fakeApplication, fakeArgocd } from "../../../fakes/fake-argocd.ts";
import { ALL, BAD, cartTarget, connectTo, executorFor, GOOD, never } from "./setting.ts";

const HOUR = 3_600_000;
const CART = [{ service: "cart", application: "cart" }];

describe("Argo CD: deploys from the history of applications", () => {
  it("one change for each sync to another version, with who, when and which revision", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD])]);
    argocd.describe(BAD, "Ada <ada@example.com>", "Cache prices");
    const changes = await connectTo(argocd, CART).changes.changes(ALL, never);
    expect(changes).toHaveLength(2);
    expect(changes[1]).toEqual({
      id: `deploy:argocd/argocd/cart:${FIRST_SYNC + HOUR}`,
      kind: "deploy",
      service: "cart",
      from: "aaaaaaaaaa",
      to: "bbbbbbbbbb",
      startedAt: FIRST_SYNC + HOUR,
      finishedAt: FIRST_SYNC + HOUR,
      source: "argocd",
      reversible: true,
      author: "ada",
      commit: BAD,
      message: "Cache prices",
      workload: { kind: "Application", namespace: "argocd", name: "cart" },
      fromRevision: "0",
      toRevision: "1",
    });
    expect(changes[0]).toMatchObject({ from: "", reversible: false });
  });

  it("names the author of the commit where auto-sync deployed it", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD])]);
    argocd.describe(BAD, "Ada", "Cache prices");
    argocd.sync("cart", BAD, { automated: true });
    expect((await connectTo(argocd, CART).changes.changes(ALL, never)).at(-1)).toMatchObject({ author: "Ada" });
  });

  it("cleans what a commit says of secrets and control characters", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD])]);
    argocd.describe(BAD, "Ada", "Use token\u001b[31m Bearer abcdef1234567890abcdef");
    const [, change] = await connectTo(argocd, CART).changes.changes(ALL, never);
    expect(change?.message).not.toContain("abcdef1234567890abcdef");
    expect(change?.message).not.toContain("\u001b");
  });

  it("a second sync of what stands is no change", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD, BAD])]);
    expect(await connectTo(argocd, CART).changes.changes(ALL, never)).toHaveLength(2);
  });

  it("the same commit with other parameters is another version", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, GOOD])]);
    const [, second] = argocd.application("cart").status.history;
    if (second?.source) second.source = { ...second.source, kustomize: { images: ["cart:2"] } };
    const changes = await connectTo(argocd, CART).changes.changes(ALL, never);
    expect(changes[1]?.to).toMatch(/^aaaaaaaaaa~[0-9a-f]{6}$/);
    expect(changes[1]?.from).toBe("aaaaaaaaaa");
  });

  it("a sync that runs is a change without an end, under the id that it keeps when it is done", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD])]);
    const application = argocd.application("cart");
    const startedAt = new Date(FIRST_SYNC + 9 * HOUR).toISOString();
    const sync = { revision: BAD, source: application.spec.source };
    application.operation = { sync, initiatedBy: { username: "bob" } };
    application.status.operationState = { operation: application.operation, phase: "Running", startedAt };
    const { changes } = connectTo(argocd, CART);
    const [, running] = await changes.changes(ALL, never);
    expect(running).toMatchObject({ to: "bbbbbbbbbb", finishedAt: null, reversible: false, author: "bob" });
    delete application.operation;
    delete application.status.operationState;
    argocd.sync("cart", BAD);
    const entry = application.status.history.at(-1);
    if (entry !== undefined) entry.deployStartedAt = startedAt;
    expect((await changes.changes(ALL, never))[1]).toMatchObject({ id: running?.id, reversible: true });
  });

  it("our own rollback is known as one, with the mark and without it", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD])]);
    await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    const { changes } = connectTo(argocd, CART);
    const flags = async () => (await changes.changes(ALL, never)).map(({ ownRollback }) => ownRollback ?? false);
    expect(await flags()).toEqual([false, false, true]);
    delete argocd.application("cart").metadata.annotations;
    expect(await flags()).toEqual([false, false, true]);
    argocd.account("somebody-else");
    expect(await flags()).toEqual([false, false, false]);
  });

  describe("S13, S15: a sync after our mark is ours by who made it, and not by the mark", () => {
    const ada = { username: "ada" };
    it.each<[string, "known" | "not known", Record<string, unknown>, boolean]>([
      ["by ada, by hand", "known", ada, false],
      ["by auto-sync, of her revert in Git", "known", { automated: true }, false],
      ["by auto-sync, where our account is not known", "not known", { automated: true }, false],
      ["by ada, where our account is not known: the refused rollback left no mark", "not known", ada, false],
    ])("of a rollback that was refused, and then %s", async (_, account, by, own) => {
      await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD], { automated: { prune: true } })]);
      argocd.forbid(/POST .*rollback/);
      if (account === "not known") argocd.forbid(/userinfo/);
      await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
      argocd.sync("cart", GOOD, by);
      const last = (await connectTo(argocd, CART).changes.changes(ALL, never)).at(-1);
      expect([last?.to, last?.ownRollback ?? false]).toEqual(["aaaaaaaaaa", own]);
      expect(last?.author).not.toBe("unship");
    });

    it("a made-up or copied mark makes nobody's deploy ours", async () => {
      const mark = { plan: "p:0", from: 0, to: 1, took: "aaaaaaaaaa", at: 1, autoSyncWas: null };
      for (const known of [true, false]) {
        const metadata = { annotations: { "unship.dev/rollback": JSON.stringify(mark) } };
        await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD], { metadata })]);
        if (!known) argocd.forbid(/userinfo/);
        const changes = await connectTo(argocd, CART).changes.changes(ALL, never);
        expect(changes.map(({ author, ownRollback }) => [author, ownRollback])).toEqual([
          ["ada", undefined],
          ["ada", undefined],
        ]);
      }
    });
  });

  it("what our account deploys anew is a deploy like any other", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD])]);
    argocd.sync("cart", BAD, { username: "unship" });
    expect((await connectTo(argocd, CART).changes.changes(ALL, never)).at(-1)?.ownRollback).toBeUndefined();
  });

  it("an application of several services gives each its change; one of none stands under its own name", async () => {
    await using argocd = await fakeArgocd([fakeApplication("shop", [GOOD, BAD]), fakeApplication("mail", [GOOD])]);
    const services = [
      { service: "cart", application: "shop" },
      { service: "catalog", application: "shop" },
    ];
    const changes = await connectTo(argocd, services).changes.changes(ALL, never);
    expect(new Set(changes.map(({ service }) => service))).toEqual(new Set(["cart", "catalog", "mail"]));
    expect(new Set(changes.map(({ id }) => id)).size).toBe(changes.length);
  });

  describe("an app of apps: the syncs of children that a sync of their parent brought", () => {
    const child = (name: string, repository: string) => {
      const application = fakeApplication(name, [GOOD, BAD], {});
      application.spec.source = { repoURL: `https://git.example/${repository}.git`, path: ".", targetRevision: "v2" };
      return application;
    };
    const resources = ["cart", "stock"].map((name) => ({ group: "argoproj.io", kind: "Application", name }));
    const root = () => fakeApplication("root", [commit("c"), commit("d")], { resources });
    const roots = (changes: readonly Change[], service: string) =>
      changes.filter((one) => one.service === service).map((one) => one.releasedBy?.map(({ name }) => name) ?? []);
    const seconds = (many: number) => new Date(FIRST_SYNC + HOUR + many * 1000).toISOString();

    it.each<[string, number, readonly string[]]>([
      ["begins while the parent's sync runs", 3, ["root@dddddddddd"]],
      ["waits for the next comparison", 170, ["root@dddddddddd"]],
      ["begins long after: somebody pushed to the child's own repository", 600, []],
      ["began before it", -60, []],
    ])("one that %s", async (_, later, expected) => {
      await using argocd = await fakeArgocd([root(), child("cart", "cart"), child("stock", "stock")]);
      const last = argocd.application("stock").status.history.at(-1);
      if (last !== undefined) Object.assign(last, { deployStartedAt: seconds(later), deployedAt: seconds(later + 9) });
      const changes = await connectTo(argocd).changes.changes(ALL, never);
      expect(roots(changes, "cart")).toEqual([["root@cccccccccc"], ["root@dddddddddd"]]);
      expect(roots(changes, "stock")[1]).toEqual(expected);
      expect(roots(changes, "root")).toEqual([[], []]);
    });

    it("are one release whatever repositories they come from; a child that the parent left unchanged is not of it", async () => {
      await using argocd = await fakeArgocd([root(), child("cart", "cart"), child("stock", "stock")]);
      const { changes } = connectTo(argocd);
      const releases = async () =>
        sharedChange((await changes.changes(ALL, never)).map((one) => ({ ...one, commit: `of ${one.service}` })));
      expect((await releases()).map(({ services }) => services)).toEqual([
        ["cart", "stock"],
        ["cart", "stock"],
      ]);
      argocd.application("root").status.operationState = {
        phase: "Succeeded",
        startedAt: seconds(0),
        finishedAt: seconds(5),
        syncResult: {
          revision: commit("d"),
          resources: [
            { kind: "Application", name: "cart", message: "application.argoproj.io/cart configured" },
            { kind: "Application", name: "stock", message: "application.argoproj.io/stock unchanged" },
          ],
        },
      };
      expect((await releases()).map(({ changeIds }) => changeIds.length)).toEqual([2]);
      expect(roots(await changes.changes(ALL, never), "stock")[1]).toEqual([]);
    });
  });

  it("has no end as long as its application progresses", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD])]);
    argocd.application("cart").status.health = { status: "Progressing" };
    const changes = await connectTo(argocd, CART).changes.changes(ALL, never);
    expect(changes.map(({ finishedAt }) => finishedAt)).toEqual([FIRST_SYNC, null]);
  });

  it("only what lies in the window", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD])]);
    const window = { from: FIRST_SYNC + HOUR / 2, to: FIRST_SYNC + 2 * HOUR };
    expect(await connectTo(argocd, CART).changes.changes(window, never)).toHaveLength(1);
  });
});

describe("Argo CD: what stands, and what could be restored", () => {
  it("an entry of the history is a revision, with the time that it served", async () => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD, commit("c")])]);
    const [rollout] = await connectTo(argocd, CART).rollouts.rollouts(never);
    expect(rollout).toMatchObject({ service: "cart", version: "cccccccccc", revision: "2", status: "complete" });
    expect(rollout?.revisions.map(({ revision, servedMs, current }) => [revision, servedMs, current])).toEqual([
      ["0", HOUR - 5000, false],
      ["1", HOUR - 5000, false],
      ["2", undefined, true],
    ]);
  });

  it.each([
    ["Healthy", "complete"],
    ["Progressing", "progressing"],
    ["Degraded", "progressing"],
    ["Missing", "progressing"],
    ["Suspended", "paused"],
    ["Unknown", "unknown"],
  ])("health %s is %s", async (health, status) => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD])]);
    argocd.application("cart").status.health = { status: health };
    expect((await connectTo(argocd, CART).rollouts.rollouts(never))[0]?.status).toBe(status);
  });

  it("counts workloads and those of them that are healthy", async () => {
    const of = (kind: string, name: string, health: string) => ({
      version: "v1",
      kind,
      name,
      health: { status: health },
    });
    const resources = [
      of("Deployment", "cart", "Healthy"),
      of("StatefulSet", "db", "Degraded"),
      of("Service", "cart", "Healthy"),
    ];
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD], { resources })]);
    const [rollout] = await connectTo(argocd, CART).rollouts.rollouts(never);
    expect(rollout?.replicas).toMatchObject({ desired: 2, ready: 1 });
  });
});
