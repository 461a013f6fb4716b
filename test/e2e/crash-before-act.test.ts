import { describeKilledWatch } from "./killed-watch.ts";

describeKilledWatch([
  ["payments", "it has detected the trouble", { says: "incident.detected" }],
  ["catalog", "it has decided", { says: "incident.decided" }],
  ["cart", "the gate has reviewed the plan", { says: "plan.reviewed" }],
  ["pricing", "the undo is sent and has not reached the API", { wire: "before the API" }],
]);
