import type { Family } from "../../family.ts";
import { HOUR, MINUTE } from "../../world/model.ts";

/**
 * A deploy of an entry that holds long-lived connections drops them, and all clients come back at once, each with a login and a first full
 * load. The wave ebbs away in minutes as clients back off. The same was seen at its deploy before. Slack, "Slack's Outage on January 4th
 * 2021", and Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015): clients that return together, with cold
 * caches; 2 to 4 times the load.
 */
export const reconnectHerd: Family = {
  name: "reconnect-herd",
  faulty: false,
  wishes: { historyMinutes: [130, 190], watchMinutes: [40, 60], crowd: [0, 2] },
  plot: (stage) => {
    const { draw, clock } = stage;
    const entry = draw.pick(stage.busy().filter(({ tier }) => tier === "entry"));
    const [loadFactor, fadeMs] = [draw.uniform(2, 4), draw.uniform(0.8, 2) * MINUTE];
    const rolloutMs = draw.uniform(0.7, 2) * MINUTE;
    const before = clock.historyStart + draw.uniform(10, 50) * MINUTE;
    const behind = stage.calleesOf(entry.name).map(({ name }) => ({ callee: name, factor: draw.uniform(1.2, 2.5) }));
    const told = [before, stage.moment].map((at) => {
      const change = stage.change("deploy", entry, at, { rolloutMs });
      const from = change.shares[0]?.at ?? change.startedAt;
      const wave = { because: change.id, service: entry.name, from, to: from + 9 * MINUTE, fadeMs };
      const first = behind.map(({ callee, factor }) => ({ ...wave, calls: { callee, factor } }));
      return { change, faults: [{ ...wave, loadFactor }, ...first] };
    });
    return {
      why: "clients that a deploy disconnected come back all at once, and are then as many as before",
      changes: told.map(({ change }) => change),
      quietFor: 3 * HOUR,
      faults: told.flatMap(({ faults }) => faults),
    };
  },
};
