import { describe, expect, it } from "vitest";
import type { Target } from "../../../../core/model/plan.ts";
import { argocdResumeAutoSync } from "../../../../mcp-tools/connectors/argocd/auto-sync.ts";
import { argocdClient } from "../../../../mcp-tools/connectors/argocd/client.ts";
import { commit, type FakeArgocd, fakeApplication, fakeArgocd } from "../../../fakes/fake-argocd.ts";
import { BAD, cartTarget, executorFor, GOOD, NOW, never } from "./setting.ts";

const AUTOMATED = { prune: true, selfHeal: true };
const target: Target = {
  ...cartTarget(),
  action: "argocd_resume_auto_sync",
  changeId: "auto-sync:argocd/cart",
  expected: { version: "aaaaaaaaaa", revision: "auto-sync-off" },
  restore: { version: "aaaaaaaaaa", revision: "auto-sync-on" },
};
const resume = (argocd: FakeArgocd) =>
  argocdResumeAutoSync({ client: argocdClient({ endpoint: argocd.url, token: argocd.token }), now: () => NOW });
const automatedOf = (argocd: FakeArgocd) => argocd.application("cart").spec.syncPolicy?.automated;

/** An application that unship took back from BAD to GOOD, with its auto-sync off since. */
async function takenBack(automated: Record<string, unknown> = AUTOMATED) {
  const argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD], { automated })]);
  await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
  argocd.writes.length = 0;
  return argocd;
}
/** Git's newest commit, as Argo CD compares with. */
const inGit = (argocd: FakeArgocd, revision: string) => {
  argocd.application("cart").status.sync = { status: "OutOfSync", revision };
};

describe("Argo CD: auto-sync again, after the rollback and the revert", () => {
  it.each([
    ["by its presence alone", AUTOMATED],
    ["with enabled: true", { ...AUTOMATED, enabled: true }],
  ])("is what it was before: %s", async (_, automated) => {
    await using argocd = await takenBack(automated);
    inGit(argocd, commit("c"));
    const state = await resume(argocd).inspect(target, never);
    expect(state).toMatchObject({ version: "aaaaaaaaaa", revision: "auto-sync-off", obstacles: [], reaches: ["cart"] });
    expect(state.warnings).toEqual([
      "Git asks for cccccccccc, and aaaaaaaaaa is current: auto-sync deploys cccccccccc at once.",
      "Argo CD does not tell whether cccccccccc takes bbbbbbbbbb back, or only lies on top of it. Check it before auto-sync is switched on.",
    ]);
    const result = await resume(argocd).execute(target, "plan-2:0", never);
    expect(result).toMatchObject({ result: "done" });
    expect(automatedOf(argocd)).toEqual(automated);
    expect(argocd.writes).toHaveLength(1);
    expect((await resume(argocd).inspect(target, never)).revision).toBe("auto-sync-on");
    expect(await resume(argocd).reconcile(target, "plan-2:0", never)).toMatchObject({ result: "done" });
  });

  // PEERS 7: what is still in Git comes back with the next commit, or at once.
  it("is refused while Git still asks for the version that was rolled back", async () => {
    await using argocd = await takenBack();
    inGit(argocd, BAD);
    const result = await resume(argocd).execute(target, "plan-2:0", never);
    expect(result).toMatchObject({ result: "refused" });
    expect(result.detail).toContain("Git still asks for bbbbbbbbbb, which was rolled back");
    expect((await resume(argocd).inspect(target, never)).obstacles.join()).toContain("revert it first");
    expect(argocd.writes).toEqual([]);
    expect(automatedOf(argocd)).toEqual({ ...AUTOMATED, enabled: false });
  });

  it("S13: says of the commit that was rolled back, with other parameters, that nobody knows whether they fix it", async () => {
    await using argocd = await takenBack();
    inGit(argocd, BAD);
    const { source } = argocd.application("cart").spec;
    argocd.application("cart").spec.source = { ...source, kustomize: { images: ["cart:2"] } };
    const { warnings } = await resume(argocd).inspect(target, never);
    expect(warnings.join()).toMatch(
      /the commit that was rolled back \(bbbbbbbbbb\) with other parameters: Argo CD does not/,
    );
  });

  it.each<[string, (argocd: FakeArgocd) => void, string, string]>([
    [
      "somebody else switched it off",
      (argocd) => {
        delete argocd.application("cart").metadata.annotations;
      },
      "refused",
      "whoever did should switch it on",
    ],
    [
      "somebody synced another version",
      (argocd) => argocd.sync("cart", commit("d")),
      "stale",
      "it is at id 3 (dddddddddd)",
    ],
    [
      "it is on already",
      (argocd) => {
        argocd.application("cart").spec.syncPolicy = { automated: AUTOMATED };
      },
      "nothing-to-do",
      "on already",
    ],
    [
      "a sync is in progress",
      (argocd) => {
        const sync = { revision: commit("c"), source: argocd.application("cart").spec.source };
        argocd.application("cart").operation = { sync, initiatedBy: { username: "bob" } };
        argocd.ends("never");
      },
      "refused",
      "by bob is in progress",
    ],
  ])("nothing is written where %s", async (_, arrange, kind, because) => {
    await using argocd = await takenBack();
    inGit(argocd, commit("c"));
    arrange(argocd);
    const result = await resume(argocd).execute(target, "plan-2:0", never);
    expect(result).toMatchObject({ result: kind });
    expect(result.detail).toContain(because);
    expect(argocd.writes).toEqual([]);
  });

  it("judges again where somebody was quicker", async () => {
    await using argocd = await takenBack();
    inGit(argocd, commit("c"));
    argocd.onWrite((turn) => {
      if (turn === 1) argocd.sync("cart", commit("d"));
      return "go on";
    });
    expect(await resume(argocd).execute(target, "plan-2:0", never)).toMatchObject({ result: "stale" });
    expect(automatedOf(argocd)).toEqual({ ...AUTOMATED, enabled: false });
  });

  it("a lost answer is unknown, and reconciled from what stands", async () => {
    await using argocd = await takenBack();
    inGit(argocd, commit("c"));
    argocd.onWrite((_, response) => {
      response.destroy();
      return "answered";
    });
    expect(await resume(argocd).execute(target, "plan-2:0", never)).toMatchObject({ result: "unknown" });
    expect(await resume(argocd).reconcile(target, "plan-2:0", never)).toMatchObject({ result: "failed" });
  });
});
