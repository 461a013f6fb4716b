import { IN_MEMORY } from "../paths.ts";
import { isFilled } from "../variables.ts";
import { type Check, mapAt, valueTroubleAt } from "./check.ts";

const PLACE = ["ledger", "path"] as const;

/**
 * A ledger that is gone with its process, or that lies elsewhere for another user or service, would begin every budget
 * anew and hide every pause (S2, S14). A replay keeps none and is not asked.
 */
export const ledgerIsKept: Check = ({ file, raw }) => {
  const { path } = mapAt(file, "ledger");
  if (typeof path !== "string") return [];
  if (isFilled(raw, PLACE)) {
    const message = "depends on a variable: another user, or a service manager, would have another ledger";
    return [valueTroubleAt(PLACE, message, "write the path out")];
  }
  if (path.trim() !== IN_MEMORY) return [];
  const message = `is ${IN_MEMORY}, which keeps nothing: each process would have budgets and pauses of its own`;
  return [valueTroubleAt(PLACE, message, "name a file; only a replay takes it")];
};
