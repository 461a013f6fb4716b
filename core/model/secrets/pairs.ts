import { isAbsent, isNoValue, isOpaque } from "./looks.ts";
import { kindOfName } from "./names.ts";
import type { Span } from "./span.ts";
import { secretAt } from "./values.ts";

const QUOTE = String.raw`(?:\\{0,16}["'])?`;
/**
 * A name and its value in two fields beside each other, in either way that others write them: the environment of a container
 * (Kubernetes, `name` and `value`), parameters of a stack (`Key`, `Value`), settings in XML (`<add key="…" value="…"/>`), a patch
 * (RFC 6902: `path`, whose last part is the name). Ends where the value begins.
 */
const PAIR = new RegExp(
  String.raw`(?<![\w-])${QUOTE}(?:name|key|path|variable|parameter(?:[ _-]?(?:key|name))?)${QUOTE}\s{0,4}[:=]\s{0,4}${QUOTE}([\w./$~-]{2,120})${QUOTE}(?:\s{0,4},\s{0,40}|\s{1,40})${QUOTE}(?:parameter[ _-]?)?value${QUOTE}\s{0,4}([:=])`,
  "gi",
);
/** A block of YAML (YAML 1.2 section 8.1): its lines are deeper than the name. Group 2 is all of them. */
const BLOCK =
  /(?<![\w.-])["']?([\w.-]{2,64})["']?:[ \t]{1,4}[|>][+\d-]{0,2}[ \t]{0,4}\r?\n([ \t]{1,40}\S[^\r\n]{0,4096}(?:\r?\n[ \t]{1,40}\S[^\r\n]{0,4096}){0,60})/dg;
/** "DB_PASSWORD changed: X → Y", "password rotated from X to Y". */
const CHANGED =
  /(?<![\w.-])([\w.-]{2,64}) (?:was )?(?:changed|updated|rotated|replaced|set)(?: from|:) {0,2}["'`]?([^\s"'`]{3,400})["'`]?,? {0,2}(?:→|⇒|->|=>|to) {0,2}["'`]?([^\s"'`]{3,400})/dg;

/** Values whose names stand beside them in a field of its own, above them, or before a change from one to another. */
export function besideNames(text: string): readonly Span[] {
  const found: Span[] = [];
  for (const match of text.matchAll(PAIR)) {
    const [whole, path = "", between = ":"] = match;
    const name = path.split("/").findLast((part) => part !== "") ?? "";
    const kind = kindOfName(name);
    if (kind === "none") continue;
    const value = secretAt(text, match.index + whole.length, between, ({ shown }) =>
      kind === "secret" ? !isAbsent(shown) : !isNoValue(shown) && shown.length >= 8 && isOpaque(shown),
    );
    if (value !== null) found.push({ start: value.start, end: value.end });
  }
  for (const { 1: name = "", indices } of text.matchAll(BLOCK)) {
    const [start, end] = indices?.[2] ?? [0, 0];
    const indented = /^\s*/.exec(text.slice(start, end))?.[0].length ?? 0;
    if (kindOfName(name) === "secret" && !isAbsent(text.slice(start + indented, end)))
      found.push({ start: start + indented, end });
  }
  for (const { 1: name = "", indices } of text.matchAll(CHANGED)) {
    if (kindOfName(name) !== "secret") continue;
    for (const [start, end] of [indices?.[2] ?? [0, 0], indices?.[3] ?? [0, 0]])
      if (isOpaque(text.slice(start, end))) found.push({ start, end });
  }
  return found;
}
