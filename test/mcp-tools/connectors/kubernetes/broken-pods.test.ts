import { describe, expect, it } from "vitest";
import { UnshipError } from "../../../../core/errors.ts";
import { Pod, WorkloadObject } from "../../../../mcp-tools/connectors/kubernetes/objects.ts";
import { kubectlRolloutUndo } from "../../../../mcp-tools/connectors/kubernetes/undo.ts";
import { type Setting, startSetting } from "./cluster-setting.ts";
import { undoTarget } from "./objects.ts";

const never = new AbortController().signal;
const TARGET = undoTarget({
  object: { kind: "StatefulSet", namespace: "default", name: "web" },
  expected: { version: "bad", revision: "2" },
  restore: { version: "1", revision: "1" },
});

/** A StatefulSet whose new revision's first pod cannot pull its image, and so never becomes ready. */
async function stuck(spec: Parameters<Setting["deploy"]>[2] = {}): Promise<Setting> {
  const setting = await startSetting();
  setting.runtime.refuse((image) => image === "web:bad");
  await setting.deploy("StatefulSet", "web:1", spec);
  await setting.deploy("StatefulSet", "web:bad", spec);
  await expect.poll(() => pods(setting), { timeout: 20_000 }).toMatchObject({ "web-2": "broken" });
  return setting;
}

/** Each pod by its name: broken, or the image that it runs. */
async function pods({ client }: Setting): Promise<Readonly<Record<string, string>>> {
  const found = await client.list("Pod", "default", Pod, never);
  return Object.fromEntries(
    found.map(({ metadata, spec, status }) => {
      const isBroken = status.containerStatuses.some(({ state }) => state.waiting?.reason?.includes("Image"));
      return [metadata.name, isBroken ? "broken" : String(spec.containers[0]?.image)];
    }),
  );
}

describe("the broken pods of a StatefulSet that was rolled back", () => {
  it("are deleted, exactly those of the bad revision, so that the good one comes up by itself", async () => {
    await using setting = await stuck();
    const executor = kubectlRolloutUndo({ client: setting.client, now: Date.now });
    const dry = await executor.dryRun(TARGET, never);
    expect(dry.warnings.join()).toContain("those of the version rolled back are deleted after the undo");
    expect(await pods(setting)).toMatchObject({ "web-2": "broken" });
    const result = await executor.execute(TARGET, "plan-1:0", never);
    expect(result).toMatchObject({ result: "done" });
    expect(result.detail).toContain("deleted web-2, which were broken and held it up");
    await expect
      .poll(() => pods(setting), { timeout: 20_000 })
      .toEqual({ "web-0": "web:1", "web-1": "web:1", "web-2": "web:1" });
    expect(setting.cluster.writes.filter(({ method }) => method === "DELETE")).toHaveLength(1);
    await expect
      .poll(async () => (await executor.arrived?.(TARGET, never))?.state, { timeout: 20_000 })
      .toBe("arrived");
  });

  it("below the partition stay as they are", async () => {
    const spec = { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 2 } } };
    await using setting = await stuck(spec);
    await setting.client.patch(
      "StatefulSet",
      "default",
      "web",
      {
        contentType: "application/json-patch+json",
        body: [{ op: "replace", path: "/spec/updateStrategy/rollingUpdate/partition", value: 3 }],
      },
      WorkloadObject,
      { dryRun: false },
      never,
    );
    const result = await kubectlRolloutUndo({ client: setting.client, now: Date.now }).execute(
      TARGET,
      "plan-1:0",
      never,
    );
    expect(result.detail).not.toContain("deleted");
    expect(setting.cluster.writes.filter(({ method }) => method === "DELETE")).toEqual([]);
  });

  it("are handed over as commands where the call that undid it ended before it had deleted them", async () => {
    await using setting = await stuck();
    const { client } = setting;
    const cut = new AbortController();
    const dying = {
      ...client,
      list: (async (kind, ...rest) => {
        if (kind === "Pod") cut.abort();
        return client.list(kind, ...rest);
      }) as typeof client.list,
    };
    await kubectlRolloutUndo({ client: dying, now: Date.now }).execute(TARGET, "plan-1:0", cut.signal);
    expect(await pods(setting)).toMatchObject({ "web-2": "broken" });
    const later = kubectlRolloutUndo({ client, now: Date.now });
    const found = await later.reconcile(TARGET, "plan-1:0", never);
    expect(found).toMatchObject({ result: "done" });
    expect(found.warnings.join()).not.toContain("are deleted after the undo");
    expect(found.warnings).toContainEqual(
      "Pod web-2 is broken and holds the rollback up, and was not deleted with the undo: kubectl delete pod web-2 -n default",
    );
    expect(setting.cluster.writes.filter(({ method }) => method === "DELETE")).toEqual([]);
  });

  it("are handed over as commands where the credential may not delete them", async () => {
    await using setting = await stuck();
    const { client } = setting;
    const mayNot = {
      ...client,
      remove: async () => {
        throw new UnshipError("source.refused", { source: "kubernetes", status: 403 });
      },
    };
    const result = await kubectlRolloutUndo({ client: mayNot, now: Date.now }).execute(TARGET, "plan-1:0", never);
    expect(result).toMatchObject({ result: "done" });
    expect(result.warnings).toContainEqual(
      "Pod web-2 is broken and holds the rollback up, and the credential may not delete pods: kubectl delete pod web-2 -n default",
    );
    expect(await pods(setting)).toMatchObject({ "web-2": "broken" });
    // Once it may, the same plan finds its own act and finishes the job.
    const again = await kubectlRolloutUndo({ client, now: Date.now }).execute(TARGET, "plan-1:0", never);
    expect(again.detail).toContain("an earlier try of this plan did it; deleted web-2");
  });
});
