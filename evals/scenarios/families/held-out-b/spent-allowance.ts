import type { Family } from "../../family.ts";
import { rateAt } from "../../stories.ts";
import { MINUTE } from "../../world/model.ts";

/**
 * A new version asks something that grants only so many requests a second to all pods together, and rolls out over many minutes. Its first
 * pods stay within the allowance and look better than the old ones; from some share on, what is beyond it is refused, the more so
 * the further the rollout gets, and never in the old pods. Beyer et al., "The Site Reliability Workbook", ch. 16 (a canary of few
 * requests does not show what depends on load); Stripe documentation, "Rate limits" (a fixed number a second, all else gets 429).
 */
export const spentAllowance: Family = {
  name: "spent-allowance",
  faulty: true,
  wishes: { crowd: [1, 4], watchMinutes: [45, 65], utilisation: [0.15, 0.3] },
  plot: (stage) => {
    const { draw } = stage;
    const service = draw.pick(stage.busy(10));
    const change = stage.change("deploy", service, stage.moment, { rolloutMs: draw.uniform(8, 20) * MINUTE });
    const granted = draw.uniform(0.3, 0.65);
    const spent = change.shares.find(({ share }) => share > granted)?.at;
    if (spent === undefined) throw new RangeError("the rollout never gets that far");
    return {
      why: "the new version needs more of a shared allowance than there is; the first pods alone did not",
      changes: [change],
      faults: [
        {
          because: change.id,
          service: service.name,
          from: spent,
          to: Number.POSITIVE_INFINITY,
          withVersion: true,
          quota: rateAt(stage, service, stage.moment) * granted,
          signature: "429 Too Many Requests: quota 'lookups per second per project' exceeded, id={id}",
        },
      ],
    };
  },
};
