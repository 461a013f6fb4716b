import { z } from "zod";
import type { Change, InfrastructureChange } from "../core/model/change.ts";
import { type AllFenced, type Fenced, joined, own } from "../core/model/fenced.ts";
import { rfc3339 } from "../core/model/time.ts";
import { name, quote } from "../core/model/untrusted-text.ts";

/** A change as tools show it: names as they are, prose quoted, absent facts absent. */
export const ChangeView = z.strictObject({
  id: z.string(),
  kind: z.string(),
  service: z.string(),
  from: z.string(),
  to: z.string(),
  started_at: z.string(),
  finished_at: z.string().nullable().describe("null: still rolling out"),
  source: z.string(),
  reversible: z.boolean(),
  flag: z.string().optional(),
  environment: z.string().optional(),
  canary: z.number().optional().describe("Share of traffic, 0-1"),
  author: z.string().optional(),
  commit: z.string().optional(),
  message: z.string().optional(),
  diff: z.string().optional(),
  requires: z.string().optional(),
  own_rollback: z.literal(true).optional().describe("unship did this; never a suspect"),
});

/** How many changed paths are worth their tokens; a caller who needs all of them reads the commit. */
const PATHS = 8;

export function changeView(change: Change): AllFenced<z.infer<typeof ChangeView>> {
  const { flag, environment, canary, author, commit, message, diff, requires } = change;
  return {
    id: name(change.id),
    kind: name(change.kind),
    service: name(change.service),
    from: name(change.from),
    to: name(change.to),
    started_at: rfc3339(change.startedAt),
    finished_at: endText(change),
    source: name(change.source),
    reversible: change.reversible,
    ...(flag === undefined ? {} : { flag: name(flag) }),
    ...(environment === undefined ? {} : { environment: name(environment) }),
    ...(canary === undefined ? {} : { canary }),
    ...(author === undefined ? {} : { author: quote(author, 80) }),
    ...(commit === undefined ? {} : { commit: name(commit) }),
    ...(message === undefined ? {} : { message: quote(message, 300) }),
    ...(diff === undefined ? {} : { diff: diffText(diff) }),
    ...(requires === undefined ? {} : { requires: requirementsText(requires) }),
    ...(change.ownRollback === true ? { own_rollback: true } : {}),
  };
}

/** When it finished; by when at the latest, where nobody saw it (S9); null: it goes on. */
function endText({ finishedAt, endUnseen }: Change): Fenced | null {
  if (finishedAt === null) return null;
  return endUnseen === true ? own`by ${rfc3339(finishedAt)}` : rfc3339(finishedAt);
}

/** What was done to the ground that services run on: it is of no service, so that its place stands there. */
export function infrastructureView(change: InfrastructureChange): AllFenced<z.infer<typeof ChangeView>> {
  const { id, kind, place, from, to, startedAt, finishedAt, source, author, message } = change;
  return {
    id: name(id),
    kind: name(kind),
    service: name(place),
    from: name(from),
    to: name(to),
    started_at: rfc3339(startedAt),
    finished_at: rfc3339(finishedAt),
    source: name(source),
    reversible: false,
    ...(author === undefined ? {} : { author: quote(author, 80) }),
    ...(message === undefined ? {} : { message: quote(message, 300) }),
  };
}

function diffText({ files, insertions, deletions, paths = [] }: NonNullable<Change["diff"]>): Fenced {
  const shown = paths.slice(0, PATHS).map((path) => name(path));
  const rest = paths.length > PATHS ? [own`${paths.length - PATHS} more`] : [];
  const list = [...shown, ...rest];
  return own`${files} files, +${insertions} -${deletions}${list.length === 0 ? "" : own`: ${joined(list, ", ")}`}`;
}

function requirementsText(requires: Readonly<Record<string, string>>): Fenced {
  return joined(
    Object.entries(requires).map(([service, version]) => own`${name(service)} >= ${name(version)}`),
    ", ",
  );
}
