/** Nothing in here to strip or fold. */
export const PLAIN_ASCII: RegExp = /^[ -~\t\n]*$/;

// Terminal escape sequences (ECMA-48 CSI and OSC) as a whole, so that "[31m" does not stay behind.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-_])/g;
// Other controls (tab and line feed stay), and what has no width or turns the direction of text: Unicode categories
// Cc, Cf (zero width, bidi, tags), Co and Cn, and the variation selectors.
const INVISIBLE =
  /(?![\t\n])(?:\u034f|\u115f|\u1160|\u17b4|\u17b5|\u3164|\uffa0|[\p{Cc}\p{Cf}\p{Co}\p{Cn}]|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}])/gu;

/** The text as a reader sees it: escapes and what has no width gone, compatibility forms (full width, ligatures) folded. Pure. */
export function visible(text: string): string {
  return text.replaceAll(ESCAPES, "").replaceAll(INVISIBLE, "").normalize("NFKC").replaceAll(INVISIBLE, "");
}
