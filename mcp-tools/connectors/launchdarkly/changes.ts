import type { Change } from "../../../core/model/change.ts";
import type { ChangeSource } from "../../../core/ports.ts";
import type { ServiceFlags } from "../flag-answers.ts";
import { type AuditEntry, Flag, type LaunchDarklyClient } from "./client.ts";
import { authorOf, hasMark, stateText } from "./standing.ts";

/** An entry never changes, so each is asked for once; of this many the oldest are forgotten. */
const MOST_KEPT = 2000;

/**
 * What the audit log says of flags in one environment, as changes: switched on or off (`from`, `to` "on" / "off"), or
 * anything else in it (`from`, `to` say what stood, in words). A flag takes effect at once, so a change is finished when
 * it starts. `reversible`: `feature_flag_disable` would take it back, so what ends in off is not. A flag that no service
 * is configured for stands under its own name. Throws where the window holds more than can be read: half of a history
 * is none (S9).
 *
 * @see https://launchdarkly.com/docs/api/audit-log/get-audit-log-entry (previousVersion, currentVersion)
 */
export function launchDarklyChanges(client: LaunchDarklyClient, services: readonly ServiceFlags[]): ChangeSource {
  const details = new Map<string, AuditEntry>();
  async function detail(id: string, abort: AbortSignal): Promise<AuditEntry> {
    const known = details.get(id);
    if (known !== undefined) return known;
    const entry = await client.auditEntry(id, abort);
    if (details.size >= MOST_KEPT) details.delete(details.keys().next().value ?? "");
    details.set(id, entry);
    return entry;
  }
  return {
    name: client.source,
    async changes(window, abort) {
      const listed = await client.auditWindow(window, abort);
      const changes: Change[] = [];
      for (const { _id } of listed) changes.push(...changeOf(await detail(_id, abort), client, services));
      return changes.toSorted((a, b) => a.startedAt - b.startedAt);
    },
  };
}

function changeOf(entry: AuditEntry, client: LaunchDarklyClient, services: readonly ServiceFlags[]): readonly Change[] {
  const { environment, project, source } = client;
  const was = Flag.safeParse(entry.previousVersion).data?.environments?.[environment];
  const is = Flag.safeParse(entry.currentVersion).data;
  const now = is?.environments?.[environment];
  // Created, deleted or changed in another environment: nothing that users of this one can notice.
  if (is === undefined || was === undefined || now === undefined || was.version === now.version) return [];
  const key = is.key;
  const switched = was.on !== now.on;
  const word = (on: boolean) => (on ? "on" : "off");
  return [
    {
      id: `flag:${environment}/${key}:${entry._id}`,
      kind: "flag",
      service: services.find(({ flags }) => flags.includes(key))?.service ?? key,
      from: switched ? word(was.on) : stateText(was),
      to: switched ? word(now.on) : stateText(now),
      startedAt: entry.date,
      finishedAt: entry.date,
      source,
      reversible: now.on,
      author: authorOf(entry),
      flag: key,
      environment,
      workload: { kind: "Flag", namespace: project, name: key },
      ...(entry.comment ? { message: entry.comment } : {}),
      ...(hasMark(entry) && !now.on ? { ownRollback: true } : {}),
    },
  ];
}
