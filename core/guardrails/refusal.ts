import { UnshipError } from "../errors.ts";

/** What a person asks for who has to show who they are, as an error calls it. */
export type AskedFor = "approval" | "rejection" | "resume" | "acknowledgement" | "snooze";

/** `approval.refused` with a reason that does not know yet what was asked for. See `refusedAs`. */
export const refused = (reason: string): UnshipError => new UnshipError("approval.refused", { what: "answer", reason });

/** A refusal → the same one, said of what was asked for; any other error as it is. */
export function refusedAs(what: AskedFor, error: UnshipError): UnshipError {
  if (error.code !== "approval.refused") return error;
  return new UnshipError("approval.refused", { ...error.facts, what }, { cause: error.cause });
}
