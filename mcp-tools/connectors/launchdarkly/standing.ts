import { UnshipError } from "../../../core/errors.ts";
import { beforeText, type FlagStanding } from "../flag-answers.ts";
import type { AuditEntry, Flag, FlagEnvironment, LaunchDarklyClient } from "./client.ts";

type Serves = Pick<LaunchDarklyClient, "source" | "environment">;

/** A flag's standing, with when it was changed last, Unix ms; null: not told. */
export type Standing = FlagStanding & { readonly changedAt: number | null };

/** How a flag stands in the client's environment. Throws `source.not_found` where it does not exist there. */
export function standingOf(flag: Flag, { source, environment }: Serves): Standing {
  const state = flag.environments?.[environment];
  if (state === undefined)
    throw new UnshipError("source.not_found", { source, what: `flag ${flag.key} in ${environment}` });
  const { on, version, lastModified, offVariation, fallthrough, rules, targets } = state;
  const since = typeof lastModified === "number" ? `, last changed at ${new Date(lastModified).toISOString()}` : "";
  return {
    enabled: on,
    version: String(version),
    changedAt: lastModified ?? null,
    byWhom: ` (version ${version}${since})`,
    before: beforeText({ on, version, offVariation, fallthrough, rules, targets }),
    obstacles: flag.archived === true ? ["it is archived"] : [],
    warnings: [
      `Only ${environment} is switched off; users get the flag's off variation there, whoever had it on.`,
      ...(offVariation === undefined || offVariation === null
        ? ["It has no off variation: users get the default in the code of each service."]
        : []),
      "Flags that have it as a prerequisite serve their off variation too.",
    ],
  };
}

/** What stands in words: "on, fallthrough 1, 2 rules"; a percentage rollout is one. */
export function stateText(state: FlagEnvironment): string {
  const { on, fallthrough, rules, targets } = state;
  const count = (what: string, list: readonly unknown[] | null | undefined) =>
    list?.length ? [`${list.length} ${what}`] : [];
  const through = fallthrough === undefined ? [] : [`fallthrough ${JSON.stringify(fallthrough).slice(0, 200)}`];
  return [on ? "on" : "off", ...through, ...count("rules", rules), ...count("targets", targets)].join(", ");
}

/** Who did it, as people know them. */
export const authorOf = ({ member, token, app }: AuditEntry): string =>
  token?.name ?? member?.email ?? app?.name ?? "someone";

/** What every switch of ours carries in the audit log, with the idempotency key behind it. */
const MARK = "unship rollback ";

export const markOf = (key: string): string => `${MARK}${key}`;
export const hasMark = ({ comment }: AuditEntry, key?: string): boolean =>
  key === undefined ? comment?.startsWith(MARK) === true : comment === markOf(key);
