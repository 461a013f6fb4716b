import { own } from "../../model/fenced.ts";
import { allOf, type Rule } from "../rule.ts";

/** Saying yes to what nobody here can carry out would promise help that does not come. */
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
