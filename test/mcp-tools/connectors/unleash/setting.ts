import type { Target } from "../../../../core/model/plan.ts";
import { connectUnleash } from "../../../../mcp-tools/connectors/unleash/unleash.ts";
import { flagOf } from "../../../core/guardrails/rule-inputs.ts";
import { UNLEASH_TOKEN } from "../../../fakes/fake-unleash.ts";

export const never = new AbortController().signal;
export const NOW = 1_767_268_800_000;
export const ALL = { from: 0, to: Date.UTC(2100, 0) };
export const STRATEGY = {
  name: "flexibleRollout",
  parameters: { rollout: "100", stickiness: "default", groupId: "new-checkout" },
};
export const OFF = "POST /api/admin/projects/default/features/new-checkout/environments/development/off";

/** Our connection to the project `default`, environment `development`; `actor`: the name that unship writes under. */
export function connect(url: URL | string, more: { readonly actor?: string | null; readonly timeoutMs?: number } = {}) {
  return connectUnleash({
    endpoint: new URL(url),
    token: UNLEASH_TOKEN,
    project: "default",
    environment: "development",
    services: [{ service: "checkout", flags: ["new-checkout"] }],
    actor: more.actor ?? null,
    now: () => NOW,
    ...(more.timeoutMs === undefined ? {} : { timeoutMs: more.timeoutMs }),
  });
}

/** Take `new-checkout` off, which is listed at this version. */
export function flagTarget(version: string, more: Partial<Target> = {}): Target {
  return flagOf({
    changeId: "flag:development/new-checkout:1",
    object: { kind: "Flag", namespace: "default", name: "new-checkout" },
    environment: "development",
    expected: { version, revision: "on" },
    restore: { version, revision: "off" },
    ...more,
  });
}
