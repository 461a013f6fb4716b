import { z } from "zod";
import type { Rollout } from "../../core/model/evidence.ts";
import { type AllFenced, own } from "../../core/model/fenced.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { name, quote, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { limit, notice } from "../arguments.ts";
import { askAll } from "../ask-sources.ts";
import { defineTool } from "../define-tool.ts";
import { gaps, gapViews } from "../gap-view.ts";
import { refuseEmptyOfUnknown } from "../known-service.ts";
import { page, RESULT_WEIGHT } from "../page.ts";

const RevisionView = z.strictObject({
  revision: z.string(),
  version: z.string(),
  created_at: z.string(),
  current: z.boolean(),
  reason: z.string().optional(),
});

const RolloutView = z.strictObject({
  service: z.string(),
  workload: z.string(),
  version: z.string(),
  revision: z.string(),
  status: z.string(),
  replicas: z.string(),
  restarts: z.number(),
  managed_by: z.string().optional().describe("A GitOps controller that would undo a live change"),
  observed_at: z.string(),
  revisions: z.array(RevisionView),
  revisions_left_out: z.number(),
});

/** A service of more workloads than this is a name that fits many. */
const ROLLOUTS = 4;

export const getRollout = defineTool({
  name: "get_rollout",
  title: "Get a rollout",
  effect: "read",
  reach: "sources",
  description:
    "What runs for one service right now: version, revision, rollout status (complete, progressing, stuck, paused), " +
    "replicas, restarts, and the revisions that could be restored, newest first.",
  input: z.strictObject({ service: z.string().min(1).max(200), limit: limit(20, 5).describe("Revisions") }),
  output: z.strictObject({ notice, rollouts: z.array(RolloutView), gaps }),
  async run(input, context, abort) {
    const asked = await askAll(
      context.sources.rollouts,
      { of: "rollouts", what: "rollouts" },
      (source) => source.rollouts(abort),
      abort,
    );
    const all = asked.answers.flat();
    const found = all.filter((rollout) => rollout.service === input.service);
    if (found.length === 0) {
      await refuseEmptyOfUnknown(
        input.service,
        context,
        all.map((rollout) => rollout.service),
      );
    }
    return {
      notice: UNTRUSTED_NOTICE,
      rollouts: found.slice(0, ROLLOUTS).map((rollout) => rolloutView(rollout, input.limit)),
      gaps: gapViews(asked.gaps),
    };
  },
});

function rolloutView(rollout: Rollout, most: number): AllFenced<z.infer<typeof RolloutView>> {
  const { workload, replicas } = rollout;
  const revisions = rollout.revisions.toSorted((a, b) => b.createdAt - a.createdAt);
  const views = revisions.slice(0, most).map(({ revision, version, createdAt, current, reason }) => ({
    revision: name(revision),
    version: name(version),
    created_at: rfc3339(createdAt),
    current,
    ...(reason === undefined ? {} : { reason: quote(reason, 200) }),
  }));
  const { items } = page(views, { limit: most, question: "", weight: RESULT_WEIGHT / ROLLOUTS });
  return {
    service: name(rollout.service),
    workload: own`${name(workload.kind)} ${name(workload.namespace)}/${name(workload.name)}`,
    version: name(rollout.version),
    revision: name(rollout.revision),
    status: name(rollout.status),
    replicas: own`${replicas.ready} ready, ${replicas.updated} updated, ${replicas.available} available of ${replicas.desired}`,
    restarts: rollout.restarts,
    ...(rollout.managedBy === undefined ? {} : { managed_by: name(rollout.managedBy) }),
    observed_at: rfc3339(rollout.observedAt),
    revisions: [...items],
    revisions_left_out: revisions.length - items.length,
  };
}
