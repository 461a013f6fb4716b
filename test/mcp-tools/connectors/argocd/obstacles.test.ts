import { describe, expect, it } from "vitest";
import { commit, type FakeArgocd, fakeApplication, fakeArgocd } from "../../../fakes/fake-argocd.ts";
import { BAD, cartTarget, executorFor, GOOD, never } from "./setting.ts";

const AUTOMATED = { prune: true, selfHeal: true };

const cart = (automated?: Record<string, unknown>) =>
  fakeApplication("cart", [GOOD, BAD], automated === undefined ? {} : { automated });

describe("Argo CD: what stands in the way is named, and nothing is written", () => {
  const refusals: readonly (readonly [string, string, (argocd: FakeArgocd) => void])[] = [
    // PEERS 8
    [
      "an operation in progress",
      "a sync to cccccccccc by bob is in progress",
      (argocd) => {
        const sync = { revision: commit("c"), source: argocd.application("cart").spec.source };
        argocd.application("cart").operation = { sync, initiatedBy: { username: "bob" } };
        argocd.ends("never");
      },
    ],
    [
      "a deny window",
      "a sync window forbids syncs now (deny 0 22 * * * for 8h)",
      (argocd) =>
        argocd.setWindows("cart", {
          canSync: false,
          activeWindows: [{ kind: "deny", schedule: "0 22 * * *", duration: "8h", manualSync: false }],
        }),
    ],
    [
      "no open allow window",
      "a sync window forbids syncs now (no allow window is open)",
      (argocd) => argocd.setWindows("cart", { canSync: false }),
    ],
    ["windows that cannot be read", "its sync windows cannot be read", (argocd) => argocd.forbid(/syncwindows$/)],
    [
      "an application that is being deleted",
      "it is being deleted",
      (argocd) => {
        argocd.application("cart").metadata.deletionTimestamp = new Date(0).toISOString();
      },
    ],
    // PEERS 4
    [
      "an ApplicationSet that puts auto-sync back",
      "ApplicationSet shops would switch it on again: let it ignore /spec/syncPolicy/automated",
      (argocd) => {
        argocd.application("cart").metadata.ownerReferences = [
          { apiVersion: "argoproj.io/v1alpha1", kind: "ApplicationSet", name: "shops", uid: "u" },
        ];
        argocd.putSet("shops", {});
      },
    ],
    [
      "an ApplicationSet that ignores something else",
      "ApplicationSet shops would switch it on again",
      (argocd) => {
        argocd.application("cart").metadata.ownerReferences = [
          { apiVersion: "argoproj.io/v1alpha1", kind: "ApplicationSet", name: "shops", uid: "u" },
        ];
        argocd.putSet("shops", {
          ignoreApplicationDifferences: [
            { jsonPointers: ["/spec/source/targetRevision"] },
            { name: "other", jsonPointers: ["/spec/syncPolicy"] },
          ],
        });
      },
    ],
    [
      "an ApplicationSet that cannot be read",
      "ApplicationSet shops, which may switch it on again, cannot be read",
      (argocd) => {
        argocd.application("cart").metadata.ownerReferences = [
          { apiVersion: "argoproj.io/v1alpha1", kind: "ApplicationSet", name: "shops", uid: "u" },
        ];
      },
    ],
    [
      "a parent application that heals itself",
      "application root would switch it on again",
      (argocd) => argocd.put(root({ automated: { selfHeal: true } })),
    ],
    [
      "a parent that only the child's mark tells of",
      "application root, which may switch it on again, cannot be read",
      (argocd) => {
        argocd.application("cart").metadata.annotations = {
          "argocd.argoproj.io/tracking-id": "root:argoproj.io/Application:argocd/cart",
        };
      },
    ],
  ];

  it.each(refusals)("%s", async (_, because, arrange) => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    arrange(argocd);
    const executor = executorFor(argocd);
    const result = await executor.execute(cartTarget(), "plan-1:0", never);
    expect(result).toMatchObject({ result: "refused" });
    expect(result.detail).toContain(because);
    expect((await executor.inspect(cartTarget(), never)).obstacles.join("; ")).toContain(because);
    expect(argocd.writes).toEqual([]);
  });

  it.each([
    ["an entry that is gone", { restore: { version: "9999999999", revision: "7" } }, "refused", "id 7 is gone"],
    [
      "an entry that is another version",
      { restore: { version: "9999999999", revision: "0" } },
      "stale",
      "id 0 is aaaa",
    ],
    ["an application that moved on", { expected: { version: "bbbbbbbbbb", revision: "5" } }, "stale", "it is at id 1"],
    [
      "a kind that it does not sync",
      { object: { kind: "Deployment", namespace: "shop", name: "cart" } },
      "refused",
      "not a Deployment",
    ],
    [
      "an application that does not exist",
      { object: { kind: "Application", namespace: "argocd", name: "none" } },
      "failed",
      "403",
    ],
    [
      "a name that leads elsewhere",
      { object: { kind: "Application", namespace: "argocd", name: ".." } },
      "refused",
      "dots",
    ],
  ] as const)("%s", async (_, more, kind, because) => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    const result = await executorFor(argocd).execute(cartTarget(more), "plan-1:0", never);
    expect(result).toMatchObject({ result: kind });
    expect(result.detail).toContain(because);
    expect(argocd.writes).toEqual([]);
  });

  it("an application that stands at the wanted version already is nothing to do", async () => {
    await using argocd = await fakeArgocd([cart()]);
    argocd.sync("cart", GOOD, { username: "bob" });
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result).toMatchObject({ result: "nothing-to-do" });
    expect(argocd.writes).toEqual([]);
  });
});

const root = (more: { automated?: Record<string, unknown>; spec?: Record<string, unknown> } = {}) => {
  const resources = [
    { group: "argoproj.io", version: "v1alpha1", kind: "Application", namespace: "argocd", name: "cart" },
  ];
  const parent = fakeApplication("root", [GOOD], {
    resources,
    ...(more.automated === undefined ? {} : { automated: more.automated }),
  });
  Object.assign(parent.spec, more.spec);
  return parent;
};

const flux = (kind: string, more: Record<string, string> = {}) => ({
  labels: { [`${kind}.toolkit.fluxcd.io/name`]: "apps", [`${kind}.toolkit.fluxcd.io/namespace`]: "flux-system" },
  annotations: more,
});
const owned = (apiVersion: string, kind: string) => ({
  ownerReferences: [{ apiVersion, kind, name: "shops", uid: "u", controller: true }],
});

describe("S13: controllers outside of Argo CD that keep an application as they have it", () => {
  const managers: readonly (readonly [string, Record<string, unknown>])[] = [
    ["Flux Kustomization apps", flux("kustomize")],
    ["Flux HelmRelease apps", flux("helm")],
    ["Config Sync", { annotations: { "configmanagement.gke.io/managed": "enabled" } }],
    ["kapp-controller", { labels: { "kapp.k14s.io/app": "1" } }],
    ["Rancher Fleet", { annotations: { "objectset.rio.cattle.io/id": "shops" } }],
    ["Application shops, which owns it,", owned("argocd.crossplane.io/v1alpha1", "Application")],
    ["Shop shops, which owns it,", owned("example.com/v1", "Shop")],
  ];
  it.each(managers)("%s stands in the way while auto-sync is on", async (name, metadata) => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD], { automated: AUTOMATED, metadata })]);
    const state = await executorFor(argocd).inspect(cartTarget(), never);
    expect(state.obstacles.join()).toContain(
      `auto-sync is on and ${name} keeps the application as its own source has it`,
    );
    expect(state.warnings.join()).toContain(`stays off until somebody or ${name} switches it on again`);
    expect((await executorFor(argocd).execute(cartTarget(), "plan-1:0", never)).result).toBe("refused");
    expect(argocd.writes).toEqual([]);
  });

  it.each(managers)("%s does not where there is no auto-sync to switch off", async (_, metadata) => {
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD], { metadata })]);
    expect((await executorFor(argocd).execute(cartTarget(), "plan-1:0", never)).result).toBe("done");
  });

  it("one that somebody suspended for it is told of, and does not stand in the way", async () => {
    const metadata = flux("kustomize", { "kustomize.toolkit.fluxcd.io/reconcile": "disabled" });
    await using argocd = await fakeArgocd([fakeApplication("cart", [GOOD, BAD], { automated: AUTOMATED, metadata })]);
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result.result).toBe("done");
    expect(result.warnings).toContain("Flux Kustomization apps manages it: its next sync switches auto-sync on again.");
  });
});

describe("Argo CD: owners that leave the switch alone", () => {
  it.each([
    [
      "an ApplicationSet that ignores the sync policy",
      { ignoreApplicationDifferences: [{ jsonPointers: ["/spec/syncPolicy"] }] },
    ],
    [
      "one that ignores it for this application by jq",
      { ignoreApplicationDifferences: [{ name: "cart", jqPathExpressions: [".spec.syncPolicy.automated"] }] },
    ],
    ["one that never updates what it made", { syncPolicy: { applicationsSync: "create-only" } }],
  ])("%s", async (_, spec) => {
    await using argocd = await fakeArgocd([cart(AUTOMATED)]);
    argocd.application("cart").metadata.ownerReferences = [
      { apiVersion: "argoproj.io/v1alpha1", kind: "ApplicationSet", name: "shops", uid: "u" },
    ];
    argocd.putSet("shops", spec);
    expect(await executorFor(argocd).execute(cartTarget(), "plan-1:0", never)).toMatchObject({ result: "done" });
  });

  it("tells of a parent application that switches it on with its next sync", async () => {
    await using argocd = await fakeArgocd([cart(AUTOMATED), root({ automated: {} })]);
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result.result).toBe("done");
    expect(result.warnings).toContain("application root manages it: its next sync switches auto-sync on again.");
  });

  it("says nothing of a parent that ignores the difference and respects that when it syncs", async () => {
    const spec = {
      ignoreDifferences: [{ group: "argoproj.io", kind: "Application", jsonPointers: ["/spec/syncPolicy/automated"] }],
      syncPolicy: { automated: { selfHeal: true }, syncOptions: ["RespectIgnoreDifferences=true"] },
    };
    await using argocd = await fakeArgocd([cart(AUTOMATED), root({ spec })]);
    const result = await executorFor(argocd).execute(cartTarget(), "plan-1:0", never);
    expect(result.result).toBe("done");
    expect(result.warnings.join()).not.toContain("root");
  });
});
