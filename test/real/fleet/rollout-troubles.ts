import { setTimeout as wait } from "node:timers/promises";
import type { Fleet } from "./fleet.ts";
import { actOn, BAD, type Entry, reasons, seconds, UNDO_PATIENCE_MS, until } from "./troubles.ts";

/** As long as a person looks at a canary that is well before she lets it go on. */
const TRIAL_MS = 30_000;
const SETTLED_MS = 45_000;

/**
 * A bad canary of an Argo Rollout: its trial must be aborted, as the controller's own client aborts the twin's, and all pods
 * be of the stable version again. The spec still asks for the bad version then; the harness deploys the good one.
 */
export async function badCanary(fleet: Fleet, service: string): Promise<Entry> {
  const { workload } = fleet.service(service);
  const good = await fleet.desk.imageOf(workload);
  const image = fleet.images.issue(service, BAD.errors);
  const at = Date.now();
  await fleet.desk.deploy(workload, image);
  const act = await actOn(fleet, service, at, UNDO_PATIENCE_MS);
  const how = fleet.acts().find((one) => one.at === act);
  const kind = "canary of Argo Rollouts, bad";
  if (act === null) {
    const why = reasons(fleet.watch.lines, service, at).slice(-3).join(" | ");
    await fleet.desk.deploy(workload, good);
    const wrong = [`not aborted: ${why || "nothing was said of it"}`];
    return { kind, service, at, act: null, happened: `${image} was not aborted`, wrong };
  }
  await fleet.twin.abort(workload);
  const isBack = () =>
    fleet.eye.pods().every((pod) => pod.service !== service || (pod.image === good && pod.serving)) &&
    fleet.missing(service) === 0;
  await until(isBack, SETTLED_MS);
  const wrong = [
    ...(how?.resource === "rollouts" && how.subresource === "status" && isAbort(how.body)
      ? []
      : [`${how?.resource}/${how?.subresource} was patched with ${JSON.stringify(how?.body)}`]),
    ...(fleet.notes().some((note) => note.name === workload.name && note.at >= at && note.at <= act)
      ? []
      : ["nothing marked the trial before it was aborted"]),
    ...(isBack() ? [] : ["not all pods are of the stable version again"]),
    ...(await fleet.twin.differences(workload)),
  ];
  await fleet.desk.deploy(workload, good);
  return { kind, service, at, act, happened: `${image} aborted after ${seconds(act - at)}`, wrong };
}

const isAbort = (body: unknown): boolean =>
  Array.isArray(body) && body.some(({ path, value }) => path === "/status/abort" && value === true);

/** A canary that breaks nothing; after a while a person lets it go on. Whether somebody aborted it is seen at the end. */
export async function innocentCanary(fleet: Fleet, service: string): Promise<Entry> {
  const { workload } = fleet.service(service);
  const image = fleet.images.issue(service);
  const at = Date.now();
  await fleet.desk.deploy(workload, image);
  await wait(TRIAL_MS);
  await fleet.desk.promote(workload);
  const isWhole = () => fleet.eye.pods().every((pod) => pod.service !== service || !pod.serving || pod.image === image);
  await until(isWhole, SETTLED_MS);
  return {
    kind: "canary of Argo Rollouts, innocent",
    service,
    at,
    act: null,
    happened: `${image} promoted by a person`,
    wrong: isWhole() ? [] : [`${image} does not serve alone`],
  };
}
