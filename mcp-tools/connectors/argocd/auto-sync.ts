import { UnshipError } from "../../../core/errors.ts";
import type { Target, TargetResult } from "../../../core/model/plan.ts";
import type { Executor, TargetState } from "../../../core/ports.ts";
import { type Application, autoSync, current, operationInProgress, versionOf, wantedByGit } from "./application.ts";
import type { ArgocdClient } from "./client.ts";
import { standing } from "./judge.ts";
import { type Mark, markOf } from "./mark.ts";
import { switchOnPatch } from "./patches.ts";
import { reachOf } from "./reach.ts";

/** The controller writes an application's status a few times a minute; so many tries pass it. */
const TRIES = 5;

type Answer = Pick<TargetResult, "result" | "detail"> & { readonly warnings?: readonly string[] };
type Verdict =
  | { readonly kind: "go"; readonly mark: Mark }
  | { readonly kind: "answer"; readonly result: TargetResult["result"]; readonly detail: string };

/**
 * Switches on again the auto-sync that a rollback of unship's switched off: `automated.enabled` goes back to what it was,
 * and nothing else of the spec changes. It refuses while Git still asks for the version that was taken back, since the
 * controller would deploy that at once; Argo CD is asked to look at Git anew first. What unship did not switch off, it
 * does not switch on. Under a test of the resourceVersion that was judged, as the rollback is.
 *
 * @see https://argo-cd.readthedocs.io/en/stable/user-guide/auto_sync/
 */
export function argocdResumeAutoSync({
  client,
  now,
}: {
  readonly client: ArgocdClient;
  /** Unix ms, for the results. */
  readonly now: () => number;
}): Executor {
  const answer = (target: Target, { result, detail, warnings = [] }: Answer): TargetResult => ({
    target,
    result,
    detail: `Application ${target.object.name}: ${detail}`,
    at: now(),
    warnings: [...warnings],
  });
  const asked = async (
    target: Target,
    abort: AbortSignal,
    then: (application: Application) => Promise<Answer> | Answer,
  ) => {
    const read = await look(client, target, abort).then((application) => ({ application }), unread);
    return answer(target, "result" in read ? read : await then(read.application));
  };
  return {
    action: "argocd_resume_auto_sync",
    async inspect(target, abort) {
      const application = await look(client, target, abort);
      const verdict = judge(application, target);
      const live = current(application);
      const refused = verdict.kind === "answer" && verdict.result === "refused";
      const state: TargetState = {
        version: live === null ? "" : versionOf(live),
        revision: `auto-sync-${autoSync(application)}`,
        obstacles: refused ? [verdict.detail] : [],
        warnings: warningsFor(application),
        // Nothing is deployed by the switch itself: what runs has the pods that it has.
        capacity: { replicas: 0, less: [] },
        ...reachOf(application),
      };
      return verdict.kind === "answer" && verdict.result === "stale" ? { ...state, changedBy: verdict.detail } : state;
    },
    dryRun: (target, abort) =>
      asked(target, abort, (application) => {
        const verdict = judge(application, target);
        if (verdict.kind === "answer") return verdict;
        return { result: "done", detail: "auto-sync would be on again", warnings: warningsFor(application) };
      }),
    execute: (target, _key, abort) => asked(target, abort, (first) => switchOn(client, first, target, abort)),
    reconcile: (target, _key, abort) =>
      asked(target, abort, (application) => {
        const mark = markOf(application);
        if (autoSync(application) === "on" && mark !== null && mark.autoSyncWas === null)
          return { result: "done", detail: "auto-sync is on again", warnings: warningsFor(application) };
        const verdict = judge(application, target);
        if (verdict.kind === "go") return { result: "failed", detail: "not done; it may be tried again" };
        return verdict;
      }).then((result) => (result.result === "unreachable" ? { ...result, result: "unknown" } : result)),
  };
}

async function switchOn(client: ArgocdClient, first: Application, target: Target, abort: AbortSignal): Promise<Answer> {
  const { name, namespace } = first.metadata;
  for (let turn = 0, application = first; turn < TRIES; turn++) {
    const verdict = judge(application, target);
    if (verdict.kind === "answer") return verdict;
    try {
      const after = await client.patch(name, namespace, switchOnPatch(application, verdict.mark), abort);
      if (autoSync(after) === "on")
        return { result: "done", detail: "auto-sync is on again", warnings: warningsFor(after) };
      application = after;
    } catch (error) {
      if (!(error instanceof UnshipError)) throw error;
      const again = await client.application(name, namespace, abort).catch(() => null);
      if (again === null || again.metadata.resourceVersion === application.metadata.resourceVersion)
        return writeFailure(error);
      application = again;
    }
  }
  return {
    result: "failed",
    detail: `it changed between reading and writing ${TRIES} times in a row; nothing was written`,
  };
}

/** Whether auto-sync may be switched on as things stand. Pure. */
function judge(application: Application, { expected }: Target): Verdict {
  const answer = (result: TargetResult["result"], detail: string): Verdict => ({ kind: "answer", result, detail });
  const auto = autoSync(application);
  const live = current(application);
  if (auto === "on") return answer("nothing-to-do", "auto-sync is on already");
  const mark = markOf(application);
  if (auto === "none" || mark === null || mark.autoSyncWas === null)
    return answer("refused", "unship did not switch its auto-sync off: whoever did should switch it on");
  const running = operationInProgress(application);
  if (running !== null) return answer("refused", running);
  if (live === null || versionOf(live) !== expected.version)
    return answer("stale", `${standing(application)}; the plan expects ${expected.version}`);
  const wanted = wantedByGit(application);
  if (wanted === null) return answer("refused", "Argo CD does not tell what Git asks for now");
  if (wanted === mark.took)
    return answer(
      "refused",
      `Git still asks for ${wanted}, which was rolled back: auto-sync would deploy it at once; revert it first`,
    );
  return { kind: "go", mark };
}

function warningsFor(application: Application): readonly string[] {
  const [wanted, live] = [wantedByGit(application), current(application)];
  if (wanted === null || live === null || versionOf(live) === wanted) return [];
  const deploys = `Git asks for ${wanted}, and ${versionOf(live)} is current: auto-sync deploys ${wanted} at once.`;
  const took = markOf(application)?.took;
  if (took === undefined) return [deploys];
  const same = wanted.split("~")[0] === took.split("~")[0];
  const what = same
    ? `That is the commit that was rolled back (${took}) with other parameters: Argo CD does not tell whether they fix it`
    : `Argo CD does not tell whether ${wanted} takes ${took} back, or only lies on top of it`;
  return [deploys, `${what}. Check it before auto-sync is switched on.`];
}

async function look(client: ArgocdClient, { object }: Target, abort: AbortSignal): Promise<Application> {
  const { kind, name, namespace } = object;
  if (kind !== "Application")
    throw new UnshipError("target.refused", {
      target: name,
      reason: `only an Application has auto-sync, not a ${kind}`,
    });
  return client.application(name, namespace, abort, { refresh: true });
}

function writeFailure({ facts: { status, because } }: UnshipError): Answer {
  if (status === 403)
    return { result: "failed", detail: "the token may not change it (it needs the right update); nothing was written" };
  if (because === "not-sent" || status === 429)
    return {
      result: "unreachable",
      detail: `Argo CD did not take the write (${status ?? because}); nothing was written`,
    };
  if (because === "status" && Number(status) < 500)
    return { result: "failed", detail: `Argo CD refused the write (${status}); nothing was written` };
  return { result: "unknown", detail: `the write was sent and not answered (${status ?? because ?? "unreadable"})` };
}

function unread(error: unknown): Answer {
  if (!(error instanceof UnshipError)) throw error;
  if (error.code === "input.invalid") return { result: "refused", detail: error.message };
  if (error.code === "target.refused") return { result: "refused", detail: String(error.facts.reason) };
  if (error.code === "source.not_found") return { result: "stale", detail: "it does not exist any more" };
  if (error.code === "source.refused")
    return {
      result: "failed",
      detail: `Argo CD refuses to show it (${error.facts.status}): it does not exist, or the token may not read it`,
    };
  return {
    result: "unreachable",
    detail: `it could not be read (${error.facts.status ?? error.facts.because ?? error.code})`,
  };
}
