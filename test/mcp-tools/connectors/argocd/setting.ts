import type { Target } from "../../../../core/model/plan.ts";
import { connectArgocd } from "../../../../mcp-tools/connectors/argocd/argocd.ts";
import { argocdClient } from "../../../../mcp-tools/connectors/argocd/client.ts";
import type { RevertDesk } from "../../../../mcp-tools/connectors/argocd/revert.ts";
import { argocdSyncToPrevious } from "../../../../mcp-tools/connectors/argocd/rollback.ts";
import { commit, type FakeArgocd } from "../../../fakes/fake-argocd.ts";

export const never = new AbortController().signal;
export const NOW = Date.UTC(2026, 0, 2);
export const ALL = { from: 0, to: Date.UTC(2100, 0) };
export const GOOD = commit("a");
export const BAD = commit("b");

/** The executor over a fake; it looks again at once. */
export function executorFor(argocd: FakeArgocd, more: { revert?: RevertDesk; timeoutMs?: number } = {}) {
  const { timeoutMs } = more;
  const client = argocdClient({
    endpoint: argocd.url,
    token: argocd.token,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  return argocdSyncToPrevious({ client, now: () => NOW, revert: more.revert ?? null, lookMs: 1, patienceMs: 20 });
}

export const connectTo = (argocd: FakeArgocd, services: readonly { service: string; application: string }[] = []) =>
  connectArgocd({ endpoint: argocd.url, token: argocd.token, services, clones: [], now: () => NOW });

/** Back from the second sync (id 1, BAD) to the first (id 0, GOOD). */
export function cartTarget(more: Partial<Target> = {}): Target {
  return {
    action: "argocd_sync_to_previous",
    service: "cart",
    changeId: "deploy:argocd/argocd/cart:1",
    object: { kind: "Application", namespace: "argocd", name: "cart" },
    expected: { version: "bbbbbbbbbb", revision: "1" },
    restore: { version: "aaaaaaaaaa", revision: "0" },
    ...more,
  };
}
