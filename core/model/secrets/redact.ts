import { PLAIN_ASCII, visible } from "../visible-text.ts";
import { assigned } from "./assignments.ts";
import { formed } from "./forms.ts";
import { reportedByRules } from "./maintained.ts";
import { givenToCommands } from "./options.ts";
import { besideNames } from "./pairs.ts";
import { said } from "./sentences.ts";
import type { Finder, Span } from "./span.ts";

/** What stands in the place of a secret; `[redacted token]` and the like where its form tells what it is. */
export const REDACTED = "[redacted]";

const FINDERS: readonly Finder[] = [formed, assigned, besideNames, givenToCommands, said, reportedByRules];

/**
 * Whether a text could hold a secret at all: a name of one, an address with a user, or letters and digits without a blank that
 * are more than a word. Most lines of a log are told apart by it.
 */
export const mayHoldSecret = (text: string): boolean => HINT.test(text);
const HINT =
  /pass|pa?ss?wo?r|pswd|paasw|pwd|pw\b|p\/w|secret|sercret|token|key|credential|auth|bearer|basic|ntlm|negotiate|cookie|sess|\bsid|sig\b|sign|hmac|otp|\bpin\b|code|\bpat\b|jwt|identified|license|community|login|srt|salt|imsi|webhook|hook|-----begin|eyj|psk|\bsg\.|hf_|:\/\/[^\s/]{1,300}@|\bredis-cli|ldap|mysql|mariadb|\s-[up]\s|--(?:proxy-)?user\b|\s-U\s|\/p |SecureString|(?<![\w+/%-])(?=[\w+/%-]{0,40}\d)[\w+/%-]{14,}|(?<![\w+/%-])[\w+/%-]{20,}/i;

/**
 * Replaces each secret in a text by `[redacted]` or `[redacted token]`, `[redacted private key]`, …; everything else stays, character by character. Errs on the side of hiding.
 * Pure; the same text gives the same; redacted text is left as it is. Where escapes or characters without width hide a secret
 * from the rules, the text comes back as a reader sees it.
 */
export function redactSecrets(text: string): string {
  if (PLAIN_ASCII.test(text)) return redactVisible(text);
  const seen = visible(text);
  const safe = redactVisible(seen);
  return safe === seen ? redactVisible(text) : safe;
}

/** `redactSecrets` of a text that is as a reader sees it already. */
export function redactVisible(text: string): string {
  if (!mayHoldSecret(text)) return text;
  const spans = FINDERS.flatMap((find) => find(text)).filter(
    ({ start, end }) => !/^\[?redacted(?: [\w ]{1,20})?\]?[^\p{L}\p{N}]{0,4}$/u.test(text.slice(start, end)),
  );
  return spans.length === 0 ? text : hidden(text, spans);
}

function hidden(text: string, spans: readonly Span[]): string {
  const ordered = spans.toSorted((one, other) => one.start - other.start);
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, what } of ordered) {
    if (end <= at) continue;
    const secret = text.slice(Math.max(at, start), end);
    if (start > at || parts.length === 0) {
      const shown = what === undefined ? REDACTED : `[redacted ${what}]`;
      parts.push(text.slice(at, start), /[«»]/.test(secret) ? secret.replaceAll(/[^«»]+/g, shown) : shown);
    } else parts.push(secret.replaceAll(/[^«»]+/g, "")); // a fence around text of others stays closed
    at = end;
  }
  return parts.join("") + text.slice(at);
}
