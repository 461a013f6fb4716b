import { quoted } from "../hints/write.ts";
import { didYouMean, editDistance, nearest } from "../nearest.ts";
import { NOTIFICATION_KINDS } from "../schema/policies.ts";
import { isFilled } from "../variables.ts";
import {
  type Check,
  isMap,
  keyTroubleAt,
  listAt,
  mapAt,
  type Placed,
  repeats,
  valueTroubleAt,
  writtenAt,
} from "./check.ts";

const CANARY = "canary_analysis";
const CANARY_KEYS = ["baseline_duration", "comparison_metrics", "minimum_confidence", "auto_rollback_on_fail"];

/** A mistyped canary_analysis would be read as a policy that lacks everything. */
export const canaryIsSpelled: Check = ({ file }) => {
  const policies = mapAt(file, "rollback_policies");
  if (policies[CANARY] !== undefined) return [];
  return Object.entries(policies)
    .filter(([name, policy]) => isMisspelledCanary(name, policy))
    .map(([name]) => keyTroubleAt(["rollback_policies", name], "is no policy", `did you mean ${CANARY}?`));
};

/** By its name, or by what it holds: keys of canary_analysis, and no condition. */
export function isMisspelledCanary(name: string, policy: unknown): boolean {
  const keys = isMap(policy) && policy.conditions === undefined ? Object.keys(policy) : [];
  if (name !== CANARY && keys.some((key) => CANARY_KEYS.includes(key))) return true;
  return name.length < 30 && name !== CANARY && editDistance(name.toLowerCase().replaceAll("-", "_"), CANARY) <= 3;
}

/** An unknown kind of target would be told nothing, silently. */
export const notificationKindsExist: Check = ({ file, raw }) =>
  targetsIn(file).flatMap(({ path, value }) => {
    if (typeof value !== "string" || !value.includes(":")) return [];
    const kind = value.slice(0, value.indexOf(":"));
    if (NOTIFICATION_KINDS.some((known) => known === kind)) return [];
    const near = nearest(kind, NOTIFICATION_KINDS);
    const meant = near === null || isFilled(raw, path) ? null : quoted(near + value.slice(kind.length));
    const hint = meant === null ? didYouMean(kind, NOTIFICATION_KINDS) : `did you mean ${meant}?`;
    return [valueTroubleAt(path, `is ${writtenAt(raw, path)}, a kind of target that does not exist`, hint)];
  });

/** Whom the file names to be told: by its policies, and when nobody answers. */
const targetsIn = (file: unknown): readonly Placed<unknown>[] => [
  ...Object.keys(mapAt(file, "rollback_policies")).flatMap((name) =>
    listAt(file, "rollback_policies", name, "notification"),
  ),
  ...listAt(file, "approval", "escalate").flatMap(({ path, value }) =>
    isMap(value) && Array.isArray(value.to)
      ? value.to.map((one: unknown, index) => ({ path: [...path, "to", index], value: one }))
      : [],
  ),
];

/** Two entries for one action on one thing: which of their limits holds would be a matter of order. */
export const actionsDoNotOverlap: Check = ({ file }) => {
  const actions = listAt(file, "execution", "allowed_actions").flatMap(({ path, value }) =>
    isMap(value) && typeof value.type === "string" ? [{ path, type: value.type, scope: scopeOf(value) }] : [],
  );
  return actions.flatMap(({ path, type, scope }, index) => {
    const clash = actions.slice(0, index).find((before) => before.type === type && meet(before.scope, scope));
    if (clash === undefined) return [];
    return [
      valueTroubleAt(
        [...path, "type"],
        `is ${type}, which an entry above allows for the same things already`,
        "merge them, or give each its own scope",
      ),
    ];
  });
};

function scopeOf(action: Readonly<Record<string, unknown>>): readonly unknown[] | null {
  const scope = action.namespaces ?? action.applications ?? action.environments;
  return Array.isArray(scope) && !scope.includes("*") ? scope : null;
}

function meet(a: readonly unknown[] | null, b: readonly unknown[] | null): boolean {
  return a === null || b === null || a.some((name) => b.includes(name));
}

/** A star within a name is part of the name, which nothing carries: the entry would allow nothing, silently. */
export const scopesAreNames: Check = ({ file, raw }) =>
  listAt(file, "execution", "allowed_actions").flatMap(({ path, value }) =>
    SCOPES.flatMap((scope) => {
      const names = isMap(value) ? value[scope] : undefined;
      if (!Array.isArray(names)) return [];
      return names.flatMap((name: unknown, index) => {
        if (typeof name !== "string" || name === "*" || !name.includes("*")) return [];
        const at = [...path, scope, index];
        const message = `is ${writtenAt(raw, at)}: names are exact, none has a star in it`;
        return [valueTroubleAt(at, message, 'write each name out, or "*" alone for any')];
      });
    }),
  );
const SCOPES = ["namespaces", "applications", "environments"];

const FEEDBACK_KEYS = ["verify_metrics_recovered", "if_not_recovered", "log_outcome", "auto_generate_postmortem_draft"];

/** Each entry of the feedback loop stands once. */
export const feedbackStandsOnce: Check = ({ file }) => {
  const entries = listAt(file, "feedback_loop", "post_rollback").flatMap(({ path, value }): Placed<string>[] => {
    const key = isMap(value) ? FEEDBACK_KEYS.find((name) => value[name] !== undefined) : undefined;
    return key === undefined ? [] : [{ path, value: key }];
  });
  return repeats(entries, (key) => key).map(({ path, value }) =>
    keyTroubleAt([...path, value], "is given above already", "remove one of them"),
  );
};
