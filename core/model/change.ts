import { z } from "zod";
import { Moment } from "./time.ts";

export const ChangeKind = z.enum(["deploy", "flag", "config", "migration"]);
export type ChangeKind = z.infer<typeof ChangeKind>;

/** Where a change was made, as the system that holds it names it. */
export const WorkloadRef = z.strictObject({
  kind: z.string().describe("Deployment, StatefulSet, DaemonSet, Flag, Application, …"),
  namespace: z.string(),
  name: z.string(),
});
export type WorkloadRef = Readonly<z.infer<typeof WorkloadRef>>;

/**
 * Something that people (or a pipeline) did to production: a deploy, a flag, a config or a migration event.
 * `id` is stable across reads of the same event. `finishedAt` is null while it still rolls out.
 * `ownRollback`: unship did this itself; such a change is never a candidate for an automatic action (S13).
 */
export const Change = z.strictObject({
  id: z.string().min(1),
  aliases: z.array(z.string().min(1)).optional().describe("Ids under which other sources tell of the same change"),
  kind: ChangeKind,
  service: z.string(),
  from: z.string(),
  to: z.string(),
  startedAt: Moment,
  finishedAt: Moment.nullable(),
  endUnseen: z
    .boolean()
    .optional()
    .describe("Nobody saw its end: finishedAt is the latest moment at which it can have ended"),
  source: z.string(),
  reversible: z.boolean(),
  author: z.string().optional(),
  commit: z.string().optional(),
  message: z.string().optional(),
  diff: z
    .strictObject({
      files: z.number(),
      insertions: z.number(),
      deletions: z.number(),
      paths: z.array(z.string()).optional(),
    })
    .optional(),
  flag: z.string().optional(),
  environment: z.string().optional(),
  canary: z.number().min(0).max(1).optional().describe("Share of traffic that the new version gets"),
  provides: z.record(z.string(), z.string()).optional(),
  requires: z.record(z.string(), z.string()).optional().describe("service → version it cannot serve below"),
  ownRollback: z.boolean().optional(),
  workload: WorkloadRef.optional(),
  releasedBy: z
    .array(WorkloadRef)
    .optional()
    .describe(
      "What brought it, where its source knows: the sync of a parent application, a ConfigMap that is new to it",
    ),
  fromRevision: z.string().optional(),
  toRevision: z.string().optional(),
});
export type Change = Readonly<z.infer<typeof Change>>;

/**
 * What was done to the ground that services run on: a node drained or lost, a cluster upgraded, a pool resized. It is no
 * change of any service, so that it is a type of its own: it may explain, and nothing here can undo it.
 */
export const InfrastructureChange = Change.pick({
  id: true,
  from: true,
  to: true,
  startedAt: true,
  finishedAt: true,
  source: true,
  author: true,
  message: true,
}).extend({
  kind: z.literal("infrastructure"),
  place: z.string().describe("What it was done to: a node, a pool, a cluster, a database"),
});
export type InfrastructureChange = Readonly<z.infer<typeof InfrastructureChange>>;
