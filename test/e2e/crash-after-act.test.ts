import { describeKilledWatch } from "./killed-watch.ts";

describeKilledWatch(
  [
    ["inventory", "the API has taken the undo and its answer is on the way", { wire: "after the API" }],
    ["payments", "the undo is done and the verification begins", { says: "plan.executed" }],
    ["catalog", "the incident is closed and no postmortem stands", { says: "incident.closed" }],
  ],
  { flag: true },
);
