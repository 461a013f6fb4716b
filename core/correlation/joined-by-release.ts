import { logSumExp } from "../detection/robust.ts";
import type { Change } from "../model/change.ts";
import { nameOfChange } from "../model/change-name.ts";
import type { CaseEvidence } from "./rank.ts";
import type { SharedChange } from "./shared-change.ts";
import type { Weighed } from "./unmeasured-cause.ts";

/** What the other parts of a release are left with, once it is counted under its surest part. */
const COUNTED_ELSEWHERE = Math.log(1e-3);

/**
 * Changes that are one act of release are one hypothesis: it is counted once, under the surest of its parts, so that twenty
 * parts do not share its probability out among them. It breaks a share of its services that nobody knows, every share
 * alike: parts whose measured services are as before speak against it. What is degraded is held against one of its parts alone,
 * and against all of the degraded ones at once (`startsAtEach`): each breaks its own service and the callers of that. Of parts that
 * are taken back already (`isBack`) none is named while a degraded one stands. Pure; the order stays.
 */
export function joinedByRelease(
  weighed: readonly Weighed[],
  releases: readonly SharedChange[],
  { harm, startsAtEach }: Pick<CaseEvidence, "harm" | "startsAtEach">,
  isBack: (change: Change) => boolean = () => false,
): readonly Weighed[] {
  const news = new Map<Weighed, Weighed>();
  for (const { changeIds, because } of releases) {
    const parts = weighed.filter(({ change }) => changeIds.includes(change.id));
    const degraded = parts.filter(({ change }) => (harm.get(change.service) ?? 0) > 0);
    if (degraded.length < 2) continue;
    const measured = parts.filter(({ change }) => harm.has(change.service));
    const standing = degraded.filter(({ change }) => !isBack(change));
    const surest = (standing.length > 0 ? standing : degraded).reduce((best, one) =>
      one.logOdds > best.logOdds ? one : best,
    );
    const share = Math.log((degraded.length + 1) / (measured.length + 1));
    const place = surest.reasons.find(({ name }) => name === "place")?.logOdds ?? 0;
    const services = [...new Set(degraded.map(({ change }) => change.service))];
    const atOnce = surest.logOdds - place + startsAtEach(services);
    const logOdds = logSumExp([atOnce, ...degraded.map((one) => one.logOdds)]) - surest.logOdds + share;
    const sentence = `${because.join("; ")}: ${degraded.length} of ${measured.length} that are measured are degraded`;
    news.set(surest, withReason(surest, logOdds, sentence));
    for (const one of degraded)
      if (one !== surest)
        news.set(one, withReason(one, COUNTED_ELSEWHERE, `counted under ${nameOfChange(surest.change)}`));
  }
  return weighed.map((one) => news.get(one) ?? one);
}

function withReason(one: Weighed, logOdds: number, sentence: string): Weighed {
  return {
    ...one,
    // Its other parts are told by the release, whatever else each of them shows.
    reasons: [...one.reasons.map(withoutJoined), { name: "release", logOdds, sentence }],
    logOdds: one.logOdds + logOdds,
  };
}

const withoutJoined = (reason: Weighed["reasons"][number]) =>
  reason.name === "joined" ? { ...reason, sentence: "other changes of its release may be at fault with it" } : reason;
