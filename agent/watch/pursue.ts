import type { Incident } from "../../core/model/incident.ts";
import { takeUpExecution } from "./acting.ts";
import { decideAndAct } from "./deciding.ts";
import type { Pursuit } from "./pursuit.ts";
import { pursueVerification } from "./verification.ts";

/** Takes one incident as far as it goes now. Each stage is saved before the next begins (S5). */
export async function pursue(incident: Incident, pursuit: Pursuit): Promise<void> {
  switch (incident.stage) {
    case "detected":
    case "investigated":
    case "waiting-policy":
    case "waiting-approval":
      return decideAndAct(incident, pursuit);
    case "executing":
      return takeUpExecution(incident, pursuit);
    case "verifying":
      return pursueVerification(incident, pursuit);
    case "closed":
      return;
  }
}
