import { describe, expect, it } from "vitest";
import { commit, type FakeArgocd, fakeApplication, fakeArgocd } from "../../../fakes/fake-argocd.ts";
import { BAD, cartTarget, executorFor, GOOD, never } from "./setting.ts";

const ROLLBACK = "POST /api/v1/applications/cart/rollback";
const AUTOMATED = { prune: true, selfHeal: true };

const cart = (automated?: Record<string, unknown>) =>
  fakeApplication("cart", [GOOD, BAD], automated === undefined ? {} : { automated });
const calls = ({ writes }: FakeArgocd) => writes.map(({ call }) => call);
const live = (argocd: FakeArgocd) => argocd.application("cart").status.history.at(-1)?.revision;
const automatedOf = (argocd: FakeArgocd) => argocd.application("cart").spec.syncPolicy?.automated;

/** The connection breaks before this write is answered, and the write is lost with it. */
const loseAnswerTo = (argocd: FakeArgocd, which: number) =>
  argocd.onWrite((turn, response) => {
    if (turn !== which) return "go on";
    response.destroy();
    return "answered";
  });

describe("Argo CD: half done, and answers that do not come", () => {
  it("switches auto-sync on again where the rollback is refused after all", async () => {
    await using argocd = await fakeArgocd([cart({ ...AUTOMATED, enabled: true })]);
    argocd.forbid(/^POST/);
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result).toMatchObject({ result: "failed" });
    expect(result.detail).toContain("the token may not roll it back");
    expect(result.detail).toContain("auto-sync, which was switched off for it, is on again");
    expect(automatedOf(argocd)).toEqual({ ...AUTOMATED, enabled: true });
    expect(live(argocd)).toBe(BAD);
  });

  it("puts an auto-sync that was on by its presence back as it was", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    argocd.forbid(/^POST/);
    await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(automatedOf(argocd)).toEqual(AUTOMATED);
  });

  it("names what came between, where another operation began after auto-sync was switched off", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    argocd.ends("never");
    argocd.onWrite((turn) => {
      const sync = { revision: commit("c"), source: argocd.application("cart").spec.source };
      if (turn === 2) argocd.application("cart").operation = { sync, initiatedBy: { automated: true } };
      return "go on";
    });
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result).toMatchObject({ result: "refused" });
    expect(result.detail).toContain("a sync to cccccccccc by auto-sync is in progress");
  });

  it.each([
    ["began", "refused", "a sync to cccccccccc by auto-sync is in progress"],
    ["ended", "stale", "it is at id 2 (cccccccccc)"],
  ] as const)("a sync %s as auto-sync was switched off: %s, and auto-sync is on again", async (_, result, because) => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    argocd.ends("never");
    argocd.afterPatch((application) => {
      argocd.afterPatch(() => {});
      const { source } = application.spec;
      const sync = { revision: commit("c"), source };
      if (result === "refused") application.operation = { sync, initiatedBy: { automated: true } };
      else argocd.sync("cart", commit("c"));
    });
    const answer = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(answer.result).toBe(result);
    expect(answer.detail).toContain(because);
    expect(answer.detail).toContain("no rollback was started; auto-sync, which was switched off for it, is on again");
    expect(automatedOf(argocd)).toEqual(AUTOMATED);
    expect(calls(argocd)).not.toContain(ROLLBACK);
  });

  describe("S6: somebody syncs the good version right after auto-sync was switched off", () => {
    it.each([
      ["Git still asks for the bad one: it stays off, which is said and is not nothing to do", BAD, "failed", false],
      ["Git asks for it too: auto-sync is on again, and nothing was left to do", GOOD, "nothing-to-do", undefined],
    ] as const)("%s", async (_, inGit, result, enabled) => {
      await using argocd = await fakeArgocd([cart(AUTOMATED)]);
      argocd.afterPatch((application) => {
        argocd.afterPatch(() => {});
        argocd.sync("cart", GOOD);
        application.status.sync = { status: "Synced", revision: inGit };
      });
      const answer = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
      expect(answer.result).toBe(result);
      expect(automatedOf(argocd)?.enabled).toBe(enabled);
      expect(answer.detail).toContain(
        result === "failed"
          ? "auto-sync is off: this plan switched it off, and it stays off since Git still asks for bbbbbbbbbb"
          : "auto-sync, which was switched off for it, is on again",
      );
    });
  });

  it.each([
    ["the rollback is refused", (argocd: FakeArgocd) => argocd.forbid(/^POST/)],
    ["somebody syncs another version", (argocd: FakeArgocd) => argocd.sync("cart", commit("c"))],
  ])("where %s and auto-sync cannot be switched on again, that is a failure that people hear of", async (_, comes) => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    argocd.afterPatch(() => {
      argocd.afterPatch(() => {});
      comes(argocd);
      argocd.forbid(/^PATCH/);
    });
    const answer = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(answer).toMatchObject({ result: "failed", detail: expect.stringContaining("do it by hand") });
  });

  it("does not switch on what an earlier rollback switched off, where it gives up", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    argocd.sync("cart", commit("c"));
    argocd.forbid(/^POST/);
    const later = cartTarget({
      expected: { version: "cccccccccc", revision: "3" },
      restore: { version: "aaaaaaaaaa", revision: "2" },
    });
    expect((await executorFor(argocd).execute(later, "plan-2:0", never)).result).toBe("failed");
    expect(automatedOf(argocd)).toEqual({ ...AUTOMATED, enabled: false });
  });

  it("S5: switches auto-sync on again where it finds, after a crash, that it may not go on", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    argocd.onWrite((turn, response) => {
      if (turn === 1) return "go on";
      response.destroy();
      return "answered";
    });
    expect(await executorFor(argocd).execute(cartTarget(), "plan-1:0", never)).toMatchObject({ result: "unknown" });
    expect(automatedOf(argocd)).toEqual({ ...AUTOMATED, enabled: false });
    argocd.onWrite(() => "go on");
    argocd.setWindows("cart", { canSync: false });
    const again = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(again).toMatchObject({ result: "refused" });
    expect(again.detail).toContain("a sync window forbids syncs now");
    expect(again.detail).toContain("switched off for it, is on again");
    expect(automatedOf(argocd)).toEqual(AUTOMATED);
  });

  it("gives up, and says so, where something keeps switching auto-sync on", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    argocd.afterPatch(({ spec }) => {
      if (spec.syncPolicy?.automated) spec.syncPolicy.automated.enabled = true;
    });
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result).toMatchObject({ result: "failed" });
    expect(result.detail).toContain("no rollback was started");
    expect(result.detail).toContain("auto-sync stayed on though it was switched off 5 times");
    expect(calls(argocd)).not.toContain(ROLLBACK);
  });

  it("says so of an Argo CD that does not know the field", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    argocd.afterPatch(({ spec }) => {
      if (spec.syncPolicy?.automated) delete spec.syncPolicy.automated.enabled;
    });
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result.detail).toContain("this Argo CD is older than 3.1");
    expect(automatedOf(argocd)).toEqual(AUTOMATED);
  });

  it("says that a sync failed, what stands, and that auto-sync is off", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    argocd.ends("Failed");
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result).toMatchObject({ result: "failed" });
    expect(result.detail).toContain("the sync to aaaaaaaaaa ended as Failed");
    expect(result.detail).toContain("auto-sync is off");
  });

  it("does not wait for ever: a rollback under way is left to verification", async () => {
    await using argocd = await fakeArgocd([cart()]);
    argocd.ends("never");
    const executor = executorFor(argocd);
    const result = await executor.execute(cartTarget(), "plan-1:0", never);
    expect(result).toMatchObject({ result: "done" });
    expect(result.detail).toContain("the rollback is under way: a sync to aaaaaaaaaa by unship is in progress");
    expect(await executor.reconcile(cartTarget(), "plan-1:0", never)).toMatchObject({ result: "done" });
  });

  it("has arrived once the application is healthy at the old version, and not before", async () => {
    await using argocd = await fakeArgocd([cart()]);
    const executor = executorFor(argocd);
    const arrived = async () => (await executor.arrived?.(cartTarget(), never))?.state;
    expect(await arrived()).toBe("not-coming");
    await executor.execute(cartTarget(), "plan-1:0", never);
    argocd.application("cart").status.health = { status: "Degraded" };
    expect(await arrived()).toBe("coming");
    argocd.application("cart").status.health = { status: "Healthy" };
    expect(await arrived()).toBe("arrived");
    argocd.sync("cart", commit("c"));
    expect(await arrived()).toBe("not-coming");
  });

  it("does nothing twice: the same key finds its own act, by whichever process", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    const before = argocd.writes.length;
    const again = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(again).toMatchObject({ result: "done" });
    expect(again.detail).toContain("an earlier try of this plan did it");
    expect(argocd.writes).toHaveLength(before);
  });

  it.each([
    ["before the patch was written", 1, "failed", "it may be tried again"],
    ["before the rollback was started", 2, "failed", "auto-sync is off, switched by this plan"],
  ])("an answer that was cut off %s is unknown, and reconciled from what stands", async (_, turn, kind, because) => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    argocd.onWrite((now, response) => {
      if (now !== turn) return "go on";
      response.destroy();
      return "answered";
    });
    const executor = executorFor(argocd);
    const result = await executor.execute(cartTarget(), "plan-1:0", never);
    expect(result.result).toBe("unknown");
    const after = await executor.reconcile(cartTarget(), "plan-1:0", never);
    expect(after).toMatchObject({ result: kind });
    expect(after.detail).toContain(because);
    argocd.onWrite(() => "go on");
    expect(await executor.execute(cartTarget(), "plan-1:0", never)).toMatchObject({ result: "done" });
    expect(live(argocd)).toBe(GOOD);
  });

  it("finds an act whose answer was lost, also where the mark was taken away", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    const executor = executorFor(argocd);
    await executor.execute(cartTarget(), "plan-1:0", never);
    delete argocd.application("cart").metadata.annotations;
    expect(await executor.reconcile(cartTarget(), "plan-1:0", never)).toMatchObject({ result: "done" });
    argocd.account("somebody-else");
    const foreign = await executor.reconcile(cartTarget(), "plan-1:0", never);
    expect(foreign).toMatchObject({ result: "nothing-to-do" });
    expect(foreign.detail).toContain("not done by this plan");
  });

  it("S6: a sync by somebody else after a lost answer is not its own act, though its mark still stands", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    loseAnswerTo(argocd, 2);
    const executor = executorFor(argocd);
    expect(await executor.execute(cartTarget(), "plan-1:0", never)).toMatchObject({ result: "unknown" });
    argocd.sync("cart", GOOD, { username: "ada" });
    const after = await executor.reconcile(cartTarget(), "plan-1:0", never);
    // Not its own act, and not nothing to do: its switch of auto-sync stays.
    expect(after).toMatchObject({ result: "failed" });
    expect(after.detail).toContain("not done by this plan");
    expect(after.detail).toContain("synced by ada");
    expect(after.detail).toContain("auto-sync is off, switched by this plan: switch it on again once Git asks for");
    const again = await executor.execute(cartTarget(), "plan-1:0", never);
    expect(again.detail).not.toContain("an earlier try of this plan did it");
  });

  it("S6: a sync by somebody else under way is not followed as its own", async () => {
    await using argocd = await fakeArgocd([cart()]);
    argocd.ends("never");
    loseAnswerTo(argocd, 2);
    const executor = executorFor(argocd);
    expect(await executor.execute(cartTarget(), "plan-1:0", never)).toMatchObject({ result: "unknown" });
    const { source } = argocd.application("cart").spec;
    argocd.application("cart").operation = { sync: { revision: GOOD, source }, initiatedBy: { username: "ada" } };
    const again = await executor.execute(cartTarget(), "plan-1:0", never);
    expect(again).toMatchObject({ result: "refused" });
    expect(again.detail).toContain("by ada is in progress");
  });

  it("nobody at home is unreachable, and nothing was written", async () => {
    const argocd = await fakeArgocd([cart()]);
    const executor = executorFor(argocd);
    await argocd[Symbol.asyncDispose]();
    expect(await executor.execute(cartTarget(), "plan-1:0", never)).toMatchObject({ result: "unreachable" });
    expect(await executor.reconcile(cartTarget(), "plan-1:0", never)).toMatchObject({ result: "unknown" });
  });

  it("a token without the right to change it writes nothing", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    argocd.forbid(/^PATCH/);
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result).toMatchObject({ result: "failed" });
    expect(result.detail).toContain("it needs the right update");
    expect(automatedOf(argocd)).toEqual(AUTOMATED);
  });

  it("a dry run writes nothing and answers what would be", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    const result = await executorFor(argocd).dryRun(cartTarget(), never);
    expect(result).toMatchObject({ result: "done" });
    expect(result.detail).toContain("would roll back to id 0 (aaaaaaaaaa)");
    expect(argocd.writes).toEqual([]);
  });
});
