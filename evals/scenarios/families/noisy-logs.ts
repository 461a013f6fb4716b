import type { Family } from "../family.ts";
import { MINUTE } from "../world/model.ts";

/** After a deploy the log fills with a new error-level line that means nothing: metrics and spans are as before. */
export const noisyLogs: Family = {
  name: "noisy-logs",
  faulty: false,
  wishes: { evidence: { logs: true } },
  plot: (stage) => {
    const { draw, clock } = stage;
    const service = draw.pick(stage.busy());
    const change = stage.change("deploy", service, stage.moment);
    const message = draw.pick([
      "Error: telemetry exporter not configured, falling back id={id}",
      "ERROR deprecated endpoint /v1/status called by probe {hex}",
      "error: feature registry unreachable, using bundled copy attempt={n}",
    ]);
    const lines = [];
    for (let at = change.startedAt + 20_000; at < clock.watchEnd; at += draw.exponential(MINUTE / draw.uniform(3, 10)))
      lines.push({ at, service: service.name, level: "error" as const, message });
    return { why: "only the log got louder; no request failed or was slow", changes: [change], faults: [], lines };
  },
};
