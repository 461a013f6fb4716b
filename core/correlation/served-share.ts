import { median } from "../detection/robust.ts";
import type { Change } from "../model/change.ts";
import { beforeMs } from "./harm.ts";
import type { CaseEvidence } from "./rank.ts";
import { samplesBetween } from "./samples.ts";
import { ORDINARY_ROLLOUT_MS } from "./timing.ts";

/** A share of the traffic is given as configured: pods and connections follow it within half of it, and a little. */
const SLACK = { factor: 1.5, share: 0.1 } as const;
/**
 * A version that serves a part of the requests fails no more than that part, but where it breaks what all versions lean on
 * (a store, a lock, a queue): one such fault in five.
 */
const SHARED_NATS = Math.log(1 / 5);
/** So many samples from the onset on are read: later ones may be of a later stage. */
const FIRST_SAMPLES = 3;

/**
 * What the share of its first stage says of a new version: its service fails far more of its requests than the new version
 * serves. Null where no share is told, the onset lies after the first minutes of the rollout, or nothing speaks against it.
 */
export function failsMoreThanItsShare(
  { service, canary, startedAt }: Change,
  { index, onset, caseFile, worse }: Pick<CaseEvidence, "index" | "onset" | "caseFile" | "worse">,
): { readonly nats: number; readonly failed: number } | null {
  if (canary === undefined || canary >= 1 || worse.get(service)?.has("error_rate") !== true) return null;
  if (onset.at - startedAt > ORDINARY_ROLLOUT_MS) return null;
  const errors = index.whole(service, "error_rate");
  const before = samplesBetween(errors, onset.earliest - beforeMs(errors?.stepMs ?? 0), onset.earliest);
  const since = samplesBetween(errors, onset.at, caseFile.at).slice(0, FIRST_SAMPLES);
  if (since.length < 2) return null;
  const usual = before.length === 0 ? 0 : median(before.map(({ value }) => value));
  const failed = median(since.map(({ value }) => value)) - usual;
  return failed > SLACK.factor * canary + SLACK.share ? { nats: SHARED_NATS, failed } : null;
}
