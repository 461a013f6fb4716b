import { createHash } from "node:crypto";
import { z } from "zod";

/** RFC 3339 in, Unix ms out; absent and unreadable times are null. */
const Time = z
  .string()
  .nullish()
  .transform((text) => {
    const at = text == null ? Number.NaN : Date.parse(text);
    return Number.isFinite(at) ? at : null;
  });
const texts = z
  .array(z.string())
  .nullish()
  .transform((all) => all ?? []);
const list = <T>(item: z.ZodType<T>) =>
  z
    .array(item)
    .nullish()
    .transform((all) => all ?? []);
const map = z
  .record(z.string(), z.string())
  .nullish()
  .transform((all) => all ?? {});

const Source = z.looseObject({
  repoURL: z.string().default(""),
  targetRevision: z.string().nullish(),
  chart: z.string().nullish(),
});
export type Source = z.infer<typeof Source>;

const Initiator = z.looseObject({ username: z.string().nullish(), automated: z.boolean().nullish() });

/** One successful sync. `id` grows by one with each; Argo CD keeps the last ten unless revisionHistoryLimit says else. */
const HistoryEntry = z.looseObject({
  id: z.number().int(),
  revision: z.string().nullish(),
  revisions: texts,
  source: Source.nullish(),
  sources: list(Source),
  deployedAt: Time,
  deployStartedAt: Time,
  initiatedBy: Initiator.nullish(),
});
export type HistoryEntry = z.infer<typeof HistoryEntry>;

const SyncRequest = z.looseObject({
  revision: z.string().nullish(),
  revisions: texts,
  dryRun: z.boolean().nullish(),
});
const OperationState = z.looseObject({
  phase: z.string().default(""),
  message: z.string().nullish(),
  startedAt: Time,
  finishedAt: Time,
  operation: z.looseObject({ sync: SyncRequest.nullish(), initiatedBy: Initiator.nullish() }).nullish(),
  syncResult: z
    .looseObject({
      revision: z.string().nullish(),
      revisions: texts,
      source: Source.nullish(),
      sources: list(Source),
      resources: list(
        z.looseObject({
          kind: z.string(),
          name: z.string(),
          hookType: z.string().nullish(),
          message: z.string().nullish(),
        }),
      ),
    })
    .nullish(),
});
export type OperationState = z.infer<typeof OperationState>;

const Resource = z.looseObject({
  group: z.string().default(""),
  kind: z.string(),
  namespace: z.string().default(""),
  name: z.string(),
  hook: z.boolean().nullish(),
  requiresPruning: z.boolean().nullish(),
});
export type Resource = z.infer<typeof Resource>;

const IgnoreRule = z.looseObject({
  group: z.string().nullish(),
  kind: z.string().nullish(),
  name: z.string().nullish(),
  jsonPointers: texts,
  jqPathExpressions: texts,
});
export type IgnoreRule = z.infer<typeof IgnoreRule>;

const SyncPolicy = z.looseObject({
  automated: z
    .looseObject({
      enabled: z.boolean().nullish(),
      prune: z.boolean().nullish(),
      selfHeal: z.boolean().nullish(),
    })
    .nullish(),
  syncOptions: texts,
});

/**
 * An Argo CD Application, as far as unship reads it.
 *
 * @see https://github.com/argoproj/argo-cd/blob/v3.1.0/assets/swagger.json, definition v1alpha1Application
 */
export const Application = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().default(""),
    resourceVersion: z.string().default(""),
    deletionTimestamp: z.string().nullish(),
    annotations: map,
    labels: map,
    ownerReferences: list(z.looseObject({ apiVersion: z.string().default(""), kind: z.string(), name: z.string() })),
  }),
  spec: z.looseObject({
    project: z.string().nullish(),
    source: Source.nullish(),
    sources: list(Source),
    revisionHistoryLimit: z.number().nullish(),
    syncPolicy: SyncPolicy.nullish(),
    ignoreDifferences: list(IgnoreRule),
  }),
  operation: z.looseObject({ sync: SyncRequest.nullish(), initiatedBy: Initiator.nullish() }).nullish(),
  status: z
    .looseObject({
      history: list(HistoryEntry),
      health: z.looseObject({ status: z.string().nullish() }).nullish(),
      sync: z.looseObject({ status: z.string().nullish(), revision: z.string().nullish(), revisions: texts }).nullish(),
      operationState: OperationState.nullish(),
      resources: list(Resource),
    })
    .nullish()
    .transform((status) => status ?? { history: [], health: null, sync: null, operationState: null, resources: [] }),
});
export type Application = z.infer<typeof Application>;

/** What generates and updates Applications. */
export const ApplicationSet = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({
    ignoreApplicationDifferences: list(IgnoreRule),
    syncPolicy: z.looseObject({ applicationsSync: z.string().nullish() }).nullish(),
  }),
});
export type ApplicationSet = z.infer<typeof ApplicationSet>;

/** The newest successful sync: what Argo CD put live last; null where there was none. */
export const current = ({ status }: Application): HistoryEntry | null => status.history.at(-1) ?? null;

type Synced = Pick<HistoryEntry, "revision" | "revisions" | "source" | "sources">;

/**
 * The name of what a sync put live: its Git revision (ten digits of a commit) or chart version, those of several
 * sources joined by "+". Where a source carries parameters of its own (Helm values, Kustomize images, …), which two
 * syncs of one commit may differ in, six digits of their SHA-256 follow a "~".
 */
export function versionOf({ revision, revisions, source, sources }: Synced): string {
  const names = (revisions.length > 0 ? revisions : [revision ?? ""]).map(shortRevision).join("+");
  const own = (sources.length > 0 ? sources : source == null ? [] : [source]).map(parameters);
  if (own.every((one) => one === "{}")) return names;
  return `${names}~${createHash("sha256").update(own.join()).digest("hex").slice(0, 6)}`;
}

/** The version that a sync would deploy, as Argo CD compared last. */
export function wantedByGit({ spec, status }: Application): string | null {
  const { revision, revisions = [] } = status.sync ?? {};
  if (!revision && revisions.length === 0) return null;
  return versionOf({ revision, revisions, source: spec.source, sources: spec.sources });
}

/** Where a source is, and what it follows, tell no two contents of one revision apart. */
const PLACE = new Set(["repoURL", "targetRevision", "chart", "path", "ref", "name"]);

function parameters(source: Source): string {
  return canonical(
    Object.fromEntries(Object.entries(source).filter(([key, value]) => !PLACE.has(key) && value != null)),
  );
}

/** JSON with the keys of every object in one order. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, inner]) => `${JSON.stringify(key)}:${canonical(inner)}`).join()}}`;
}

/** Ten digits of a commit; anything else (a chart's version, a tag) as it is. */
export const shortRevision = (revision: string): string =>
  /^[0-9a-f]{40}$/.test(revision) ? revision.slice(0, 10) : revision;

/** `enabled: null` means enabled wherever there is an `automated` at all. */
export function autoSync({ spec }: Pick<Application, "spec">): "on" | "off" | "none" {
  const automated = spec.syncPolicy?.automated;
  if (automated == null) return "none";
  return automated.enabled === false ? "off" : "on";
}

/** An operation that was asked for or runs: who, what and since when, in words; null where there is none. */
export function operationInProgress({ operation, status }: Application): string | null {
  const state = status.operationState;
  const running = state != null && (state.phase === "Running" || state.phase === "Terminating");
  if (operation == null && !running) return null;
  const asked = operation ?? state?.operation;
  const revision = asked?.sync?.revision ?? asked?.sync?.revisions[0];
  const what = revision == null || revision === "" ? "a sync" : `a sync to ${shortRevision(revision)}`;
  const since = running && state.startedAt !== null ? `, since ${new Date(state.startedAt).toISOString()}` : "";
  return `${what} by ${initiator(asked?.initiatedBy)} is in progress${since}`;
}

/** Who began it: a name, "auto-sync", or "someone". */
export function initiator(by: z.infer<typeof Initiator> | null | undefined): string {
  if (by?.username) return by.username;
  return by?.automated ? "auto-sync" : "someone";
}

/** "application cart-prod". */
export const named = ({ metadata }: Pick<Application, "metadata">): string => `application ${metadata.name}`;
