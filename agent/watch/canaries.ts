import type { LiveJudgement } from "../../core/canary/live.ts";
import { durationText } from "../../core/model/time.ts";
import type { WatchParts } from "./ports.ts";
import { promotionOf } from "./promotions.ts";

/** The kind of the ledger's entries about canaries. */
export const CANARY_JUDGED = "canary.judged";

/**
 * Says and writes down what the judge makes of each live canary: once when it begins, and again with each new verdict,
 * also across restarts. It does nothing else: a canary that fails is trouble that policy set, and goes back as every
 * other change does, by a plan through the gate; the promotion of one that passes is `PromotionDesk`'s.
 */
export interface CanaryDesk {
  look(live: readonly LiveJudgement[], now: number): Promise<void>;
}

export function createCanaryDesk(parts: Pick<WatchParts, "config" | "ledger" | "emit">): CanaryDesk {
  let told: Map<string, string> | null = null;
  return {
    async look(live, now) {
      const worthTelling = live.filter((one) => one.declared || isSure(one));
      if (worthTelling.length === 0) return;
      told ??= await toldBefore(parts.ledger);
      for (const one of worthTelling) {
        const key = keyOf(one.judgement.verdict, one.consequence.action);
        if (told.get(one.change.id) === key) continue;
        const promotable = promotionOf(one, parts.config) !== null;
        const text = canaryText(one, parts.config.canary?.baselineDurationMs ?? 0, promotable);
        await parts.ledger.append({
          kind: CANARY_JUDGED,
          incidentId: null,
          planId: null,
          actor: "watch",
          body: bodyOf(one, text),
        });
        told.set(one.change.id, key);
        parts.emit({ at: now, event: "canary.judged", text, incident: null });
      }
    },
  };
}

const isSure = ({ judgement: { verdict } }: LiveJudgement): boolean => verdict === "pass" || verdict === "fail";
const keyOf = (verdict: string, action: string): string => `${verdict} ${action}`;

/** What the ledger says was told last of each canary. */
async function toldBefore(ledger: WatchParts["ledger"]): Promise<Map<string, string>> {
  const told = new Map<string, string>();
  for (const { body } of await ledger.entries({ kinds: [CANARY_JUDGED] })) {
    if (typeof body !== "object" || body === null) continue;
    const { changeId, verdict, action } = { changeId: "", verdict: "", action: "", ...body };
    told.set(String(changeId), keyOf(String(verdict), String(action)));
  }
  return told;
}

function bodyOf({ change, service, version, stable, declared, judgement, consequence }: LiveJudgement, text: string) {
  const { judge, verdict, since, until, samples, confidence, score, metrics } = judgement;
  return {
    changeId: change.id,
    service,
    version,
    stable,
    declared,
    verdict,
    action: consequence.action,
    text,
    judge,
    since,
    until,
    samples,
    confidence,
    score,
    metrics: metrics.map(({ metric, verdict: one, baseline, canary, because }) => ({
      metric,
      verdict: one,
      baseline,
      canary,
      because,
    })),
  };
}

/** The verdict in words, and what follows from it. `promotable`: something here carries out its promotion. */
export function canaryText(
  { service, version, stable, declared, judgement, consequence }: LiveJudgement,
  boundMs: number,
  promotable = false,
): string {
  const pair = `${service} ${version} beside ${stable}`;
  const { action, why } = consequence;
  const reasons = judgement.why.slice(1, 3).join("; ");
  const because = reasons === "" ? why : `${why} (${reasons})`;
  if (!declared) {
    const found = judgement.verdict === "fail" ? "is worse" : "is within baseline";
    return `${pair} ${found}: ${because}. It is a rolling update and no canary: what follows is decided by the signals of the service.`;
  }
  switch (action) {
    case "wait":
      return `${pair} is judged by ${judgement.metrics.length} metrics, for ${durationText(boundMs)} at most`;
    case "promote":
      if (promotable) return `${pair} passes: ${because}. It is to be promoted, by a plan that a person approves.`;
      return `${pair} passes: ${because}. unship would promote it, and cannot: nothing here carries out a promotion.`;
    case "take-back":
      return `${pair} fails: ${because}. It is to be rolled back, by a plan through the gate.`;
    case "ask":
      return `${pair}, ${judgement.verdict}: ${because}. A person decides; it is not promoted.`;
  }
}
