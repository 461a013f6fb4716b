import type { Target, TargetResult } from "../../../core/model/plan.ts";
import {
  type Application,
  autoSync,
  current,
  type HistoryEntry,
  initiator,
  operationInProgress,
  shortRevision,
  versionOf,
} from "./application.ts";
import type { SyncWindows } from "./client.ts";
import { markOf } from "./mark.ts";
import type { Owner } from "./owners.ts";

/** All that a rollback of an application depends on, as Argo CD tells it now. */
export interface Seen {
  readonly application: Application;
  /** null: could not be read. */
  readonly windows: SyncWindows | null;
  readonly owners: readonly Owner[];
  /** The account that unship writes as; null: not known. */
  readonly username: string | null;
}

export type Judgement =
  | { readonly kind: "go"; readonly entry: HistoryEntry }
  | { readonly kind: "answer"; readonly result: "refused" | "stale" | "nothing-to-do"; readonly detail: string };

const answer = (result: "refused" | "stale" | "nothing-to-do", detail: string): Judgement => ({
  kind: "answer",
  result,
  detail,
});

/** Whether an application may go back as it stands, and to which entry of its history. Pure. */
export function judge(seen: Seen, { expected, restore }: Target): Judgement {
  const { application } = seen;
  const live = current(application);
  const version = live === null ? "" : versionOf(live);
  const away = String(live?.id ?? "") !== expected.revision || version !== expected.version;
  if (away && version === restore.version && version !== expected.version && operationInProgress(application) === null)
    return answer("nothing-to-do", `${standing(application)} already`);
  const [obstacle] = obstaclesTo(seen);
  if (obstacle !== undefined) return answer("refused", obstacle);
  if (away)
    return answer("stale", `${standing(application)}; the plan expects id ${expected.revision} (${expected.version})`);
  const entry = entryOf(application, restore.revision);
  if (entry === undefined) return answer("refused", missing(application, restore.revision));
  if (versionOf(entry) !== restore.version)
    return answer("stale", `id ${entry.id} is ${versionOf(entry)}; the plan would restore ${restore.version}`);
  if (entry.source == null && entry.sources.length === 0)
    return answer("refused", `id ${entry.id} names no source (Argo CD 0.11 or older wrote it): sync to its revision`);
  return { kind: "go", entry };
}

/** Why nobody should roll the application back now, whatever the target. */
export function obstaclesTo({ application, windows, owners }: Seen): readonly string[] {
  const obstacles: string[] = [];
  if (application.metadata.deletionTimestamp != null) obstacles.push("it is being deleted");
  const running = operationInProgress(application);
  if (running !== null) obstacles.push(`${running}; Argo CD carries out one operation at a time`);
  if (windows === null)
    obstacles.push("its sync windows cannot be read, and a rollback that a window forbids would start later by itself");
  else if (windows.canSync === false) obstacles.push(`a sync window forbids syncs now (${windowWords(windows)})`);
  if (autoSync(application) === "on") {
    const undone = owners.filter(({ putsBack }) => putsBack === "at once");
    const perhaps = owners.filter(({ putsBack }) => putsBack === "may at once");
    const unknown = owners.filter(({ putsBack }) => putsBack === "unknown");
    obstacles.push(
      ...undone.map(
        ({ name }) =>
          `auto-sync is on and ${name} would switch it on again: let it ignore /spec/syncPolicy/automated, or revert the commit in Git`,
      ),
      ...perhaps.map(
        ({ name }) =>
          `auto-sync is on and ${name} keeps the application as its own source has it, and may switch it on again: suspend it there, or revert the commit in Git`,
      ),
      ...unknown.map(({ name }) => `auto-sync is on and ${name}, which may switch it on again, cannot be read`),
    );
  }
  return obstacles;
}

/** What a person should know of the rollback: what it leaves out, and what would bring the bad version back (S13). */
export function warningsFor({ application, windows, owners }: Seen): readonly string[] {
  const live = current(application);
  const bad = live === null ? "the present version" : versionOf(live);
  const auto = autoSync(application);
  const hooks = hooksOf(application);
  const back = owners.filter(({ putsBack }) => putsBack !== "never").map(({ name }) => name);
  const somebody = ["somebody", ...back].join(" or ");
  const active = (windows?.activeWindows ?? []).filter(({ kind }) => kind === "deny");
  return [
    `Git still asks for ${bad}: only a revert there finishes the job.`,
    auto === "on"
      ? `Auto-sync is switched off (automated.enabled=false; prune and selfHeal stay as they are) and stays off until ${somebody} switches it on again, after the revert.`
      : "Auto-sync is off: the next sync by hand brings that version back.",
    `Hooks do not run in a rollback${hooks.length === 0 ? "" : `; this application has ${hooks.join(", ")}`}.`,
    "Nothing is pruned: what the present version added stays.",
    ...owners
      .filter(({ putsBack }) => putsBack === "with its next sync" && auto === "on")
      .map(({ name }) => `${name} manages it: its next sync switches auto-sync on again.`),
    ...(active.length === 0
      ? []
      : [
          `A sync window denies automatic syncs now; syncs by hand are allowed (${windowWords({ activeWindows: active })}).`,
        ]),
  ];
}

/** "it is at id 12 (3f2a9c1d90), synced by ada at 2026-01-01T12:00:00.000Z". */
export function standing(application: Application): string {
  const live = current(application);
  if (live === null) return "it was never synced";
  const at = live.deployedAt === null ? "" : ` at ${new Date(live.deployedAt).toISOString()}`;
  return `it is at id ${live.id} (${versionOf(live)}), synced by ${initiator(live.initiatedBy)}${at}`;
}

export const entryOf = ({ status }: Application, id: string): HistoryEntry | undefined =>
  status.history.find((entry) => String(entry.id) === id);

/**
 * Whether a sync is unship's: by its own account. Auto-sync never is. `claimed`: our mark on the application tells of such
 * a sync, which counts where the sync names nobody (older Argo CDs keep no name), or where unship's own account is not known.
 */
export function isByUs(by: HistoryEntry["initiatedBy"], username: string | null, claimed: boolean): boolean {
  if (by?.automated === true) return false;
  if (!by?.username || username === null) return claimed;
  return by.username === username;
}

/**
 * Whether a plan's rollback happened or runs, from the application alone: a later sync to the same version by unship's
 * own account, which the mark need not stand beside any more (an ApplicationSet takes it away). A mark alone says that
 * the plan switched auto-sync off, not that whoever synced since was unship: it makes a sync ours only where that names
 * nobody (older Argo CDs keep no name), or where unship's own account is not known.
 */
export function ownTry(
  { application, username }: Seen,
  { expected, restore }: Target,
  key: string,
): { readonly entry: HistoryEntry | null; readonly running: boolean; readonly marked: boolean } {
  const marked = markOf(application)?.plan === key;
  const isOurs = (by: HistoryEntry["initiatedBy"]) => isByUs(by, username, marked);
  const later = application.status.history.filter(
    ({ id, initiatedBy, ...rest }) =>
      id > Number(expected.revision) && versionOf({ ...rest }) === restore.version && isOurs(initiatedBy),
  );
  const to = entryOf(application, restore.revision);
  const asked = application.operation?.sync ?? application.status.operationState?.operation?.sync;
  const same = to !== undefined && asked != null && revisionsOf(asked) === revisionsOf(to);
  const by = application.operation?.initiatedBy ?? application.status.operationState?.operation?.initiatedBy;
  const running = marked && same && isOurs(by) && operationInProgress(application) !== null;
  return { entry: later[0] ?? null, running, marked };
}

/** Between which moments (Unix ms, by Argo CD's clock, which keeps whole seconds) an entry was synced; undefined: it does not say. */
export function syncedAt({ deployStartedAt, deployedAt }: HistoryEntry): TargetResult["carriedOut"] {
  if (deployedAt == null) return undefined;
  return { from: Math.min(deployStartedAt ?? deployedAt, deployedAt), to: deployedAt + 999 };
}

/** The sync of this plan that ended badly, in words; null where there is none. */
export function failedTry({ status }: Application): string | null {
  const state = status.operationState;
  if (state == null || (state.phase !== "Failed" && state.phase !== "Error")) return null;
  const revision = state.operation?.sync == null ? "" : ` to ${revisionsOf(state.operation.sync)}`;
  return `the sync${revision} ended as ${state.phase}; check it in Argo CD, part of it may be applied`;
}

export function revisionsOf({ revision, revisions }: Pick<HistoryEntry, "revision" | "revisions">): string {
  return (revisions.length > 0 ? revisions : [revision ?? ""]).map(shortRevision).join("+");
}

function hooksOf({ status }: Application): readonly string[] {
  const synced = status.operationState?.syncResult?.resources ?? [];
  const names = [
    ...synced.filter(({ hookType }) => hookType).map(({ kind, name, hookType }) => `${hookType} ${kind} ${name}`),
    ...status.resources.filter(({ hook }) => hook === true).map(({ kind, name }) => `${kind} ${name}`),
  ];
  return [...new Set(names)];
}

function windowWords({ activeWindows }: Pick<SyncWindows, "activeWindows">): string {
  if (activeWindows.length === 0) return "no allow window is open";
  return activeWindows.map(({ kind, schedule, duration }) => `${kind} ${schedule} for ${duration}`).join("; ");
}

function missing({ status, spec }: Application, id: string): string {
  const limit = spec.revisionHistoryLimit ?? DEFAULT_HISTORY;
  const ids = status.history.map((entry) => entry.id).join(", ") || "none";
  return `id ${id} is gone from its history; there are: ${ids}; revisionHistoryLimit keeps ${limit}`;
}

/** @see https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/ (Application spec, revisionHistoryLimit) */
const DEFAULT_HISTORY = 10;
