import { z } from "zod";
import type { Change } from "../../../core/model/change.ts";
import type { ChangeSource } from "../../../core/ports.ts";
import type { UnleashClient, UnleashEvent } from "./client.ts";
import type { ServiceFlags } from "./flags.ts";
import type { OwnWrites } from "./own-writes.ts";

/** Events that can change what a flag's users get, in one environment. */
const TYPES = [
  "feature-environment-enabled",
  "feature-environment-disabled",
  "feature-strategy-add",
  "feature-strategy-update",
  "feature-strategy-remove",
  "feature-environment-variants-updated",
] as const;

/**
 * Flag events as changes: switched on or off (`from`, `to` "on" / "off"), and rules or variants changed (`from`, `to`
 * say how, "flexibleRollout 10%"). A flag takes effect at once, so a change is finished when it starts; SDKs poll, which
 * delays it by their own interval. `reversible`: `feature_flag_disable` would take it back, so switching off is not.
 * A flag that no service is configured for stands under its own name.
 *
 * @see https://docs.getunleash.io/concepts/events
 */
export function unleashChanges(client: UnleashClient, services: readonly ServiceFlags[], own: OwnWrites): ChangeSource {
  return {
    name: client.source,
    async changes(window, abort) {
      const [events] = await Promise.all([
        client.eventsSince({ types: TYPES, from: window.from }, abort),
        own.learn(client, abort),
      ]);
      return events
        .filter(({ createdAt }) => createdAt >= window.from && createdAt <= window.to)
        .toSorted((a, b) => a.createdAt - b.createdAt || a.id - b.id)
        .flatMap((event) => changeOf(event, client, services, own.has(event)) ?? []);
    },
  };
}

function changeOf(
  event: UnleashEvent,
  { environment, source, project }: UnleashClient,
  services: readonly ServiceFlags[],
  ownRollback: boolean,
): Change | null {
  const { id, type, createdAt, createdBy, featureName, summary } = event;
  if (!featureName) return null;
  const share = type.startsWith("feature-strategy") ? rolloutOf(event.data) : null;
  return {
    id: `flag:${environment}/${featureName}:${id}`,
    kind: "flag",
    service: services.find(({ flags }) => flags.includes(featureName))?.service ?? featureName,
    ...fromTo(event),
    startedAt: createdAt,
    finishedAt: createdAt,
    source,
    reversible: type !== "feature-environment-disabled",
    author: createdBy,
    flag: featureName,
    environment,
    workload: { kind: "Flag", namespace: project, name: featureName },
    ...(share === null || share >= 1 ? {} : { canary: share }),
    ...(summary ? { message: summary } : {}),
    ...(ownRollback ? { ownRollback: true } : {}),
  };
}

function fromTo({ type, data, preData }: UnleashEvent): Pick<Change, "from" | "to"> {
  if (type === "feature-environment-enabled") return { from: "off", to: "on" };
  if (type === "feature-environment-disabled") return { from: "on", to: "off" };
  if (type === "feature-environment-variants-updated") return { from: variantsText(preData), to: variantsText(data) };
  return { from: strategyText(preData), to: strategyText(data) };
}

const StrategyData = z.looseObject({
  name: z.string(),
  parameters: z.looseObject({ rollout: z.union([z.string(), z.number()]).optional() }).nullish(),
  constraints: z.array(z.unknown()).nullish(),
});

/** "flexibleRollout 25%, 2 constraints"; "no strategy" for none. */
function strategyText(data: unknown): string {
  const strategy = StrategyData.safeParse(data);
  if (!strategy.success) return "no strategy";
  const { name, parameters, constraints } = strategy.data;
  const share = parameters?.rollout === undefined ? "" : ` ${parameters.rollout}%`;
  return `${name}${share}${constraints?.length ? `, ${constraints.length} constraints` : ""}`;
}

/** Share of users, 0 to 1, that a gradual rollout reaches; null where the event is of none. */
function rolloutOf(data: unknown): number | null {
  const rollout = StrategyData.safeParse(data).data?.parameters?.rollout;
  const share = Number(rollout ?? Number.NaN) / 100;
  return share >= 0 && share <= 1 ? share : null;
}

const VariantsData = z.looseObject({
  variants: z.array(z.looseObject({ name: z.string(), weight: z.number().optional() })).nullish(),
});

/** "blue 500, red 500": weights are thousandths. */
function variantsText(data: unknown): string {
  const variants = VariantsData.safeParse(data).data?.variants ?? [];
  return variants.map(({ name, weight }) => `${name} ${weight ?? ""}`.trim()).join(", ") || "no variants";
}
