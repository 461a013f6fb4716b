import type { Family } from "../../family.ts";
import { HOUR } from "../../world/model.ts";
import { season } from "../../world/wander.ts";

/**
 * A configuration lowers the most replicas that the autoscaler may run. The pods above it go at once; in the quiet hour the rest suffices,
 * only busier; when the daily peak comes the autoscaler is at its limit and the service sheds. Kubernetes documentation, "Horizontal
 * Pod Autoscaling" (`maxReplicas`, condition `ScalingLimited`); Slack, "Slack's Outage on January 4th 2021", for an autoscaler that
 * could not follow the morning. What is left serves 75 to 95 % of the peak.
 */
export const loweredMaximum: Family = {
  name: "lowered-maximum",
  faulty: true,
  wishes: {
    daily: { atHour: 14, minutes: 60, factor: 2 },
    utilisation: [0.15, 0.3],
    watchFrom: [13.4, 13.8],
    watchMinutes: [50, 65],
    evidence: { coarseDays: 7 },
    crowd: [1, 4],
  },
  plot: (stage) => {
    const { draw, clock, system } = stage;
    const high = new Date(clock.watchStart).setUTCHours(14, 30, 0, 0);
    const peak = season(system.traffic, high);
    const service = draw.pick(stage.busy().filter(({ utilisation }) => utilisation * peak < 0.8));
    const config = stage.change("config", service, stage.moment);
    const capacityFactor = service.utilisation * peak * draw.uniform(0.75, 0.95);
    return {
      why: "the pushed maximum leaves too few pods for the daily peak, which more of them served every day",
      changes: [config],
      quietFor: 2 * HOUR,
      faults: [
        {
          because: config.id,
          service: service.name,
          from: config.finishedAt ?? config.startedAt,
          to: Number.POSITIVE_INFINITY,
          rampMs: draw.uniform(0.5, 2) * 60_000,
          capacityFactor,
          signature: "autoscaler: desired replicas {n} above maxReplicas, ScalingLimited=True",
          main: true,
        },
      ],
    };
  },
};
