import { own } from "../../model/fenced.ts";
import { allOf, type Rule } from "../rule.ts";

/** A plan that no configured executor can carry out is denied: an approval of it would have no effect. */
export const executable: Rule = {
  name: "executable",
  check({ targets }) {
    return allOf(
      "deny",
      targets
        .filter((one) => !one.executable)
        .map(({ target }) => own`nothing here carries out ${target.action}; configure a source for it`),
    );
  },
};
