import { own } from "../../model/fenced.ts";
import { quote } from "../../model/untrusted-text.ts";
import { isPlainName } from "../names.ts";
import { allOf, type Rule } from "../rule.ts";

/**
 * Letters of other scripts can be homoglyphs of ours: a name that holds any cannot be compared reliably with the
 * lists of the file, so a person has to check it.
 */
export const unusualName: Rule = {
  name: "unusual-name",
  check({ plan }) {
    const names = plan.targets.flatMap(({ service, object, environment }) => [
      service,
      object.namespace,
      object.name,
      ...(environment === undefined ? [] : [environment]),
    ]);
    return allOf(
      "require_approval",
      names
        .filter((name) => name !== "" && !isPlainName(name))
        .map((name) => own`the name ${quote(spelled(name))} holds characters that can be mistaken for others`),
    );
  },
};

/** The name with each unusual character as its code point, so that a look-alike is seen for what it is. */
function spelled(name: string): string {
  const letters = [...name].map((letter) =>
    /[A-Za-z0-9._:@/-]/.test(letter)
      ? letter
      : `<U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}>`,
  );
  return letters.join("");
}
