import { own } from "../../model/fenced.ts";
import { durationText } from "../../model/time.ts";
import { askPerson, type Rule } from "../rule.ts";

/** Clocks kept by NTP agree within a second; a minute's difference means that one of them is wrong. */
export const TOLERATED_MS = 60_000;

/**
 * The ledger's time never runs backwards: after a clock jumped ahead, it does not advance until the others catch up.
 * Windows and deadlines cannot be trusted meanwhile, so plans need approval (S2).
 */
export const clock: Rule = {
  name: "clock",
  check({ store }) {
    if (store.skewMs <= TOLERATED_MS) return undefined;
    return askPerson(
      own`the ledger's time is ${durationText(store.skewMs)} ahead of this machine's clock; one of the clocks is or was wrong`,
    );
  },
};
