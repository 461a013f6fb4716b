import { describe, expect, it } from "vitest";
import { redactSecrets } from "../../../../core/model/secrets/redact.ts";

/** What each of the rules begins to match on, or looks ahead over, as often as it goes into a line. */
const UNITS =
  `a|aA1|a.b|a-|a@|A1b_|Z|1|_|x:/|://a@|https://|mysql://a:b@c/|user:pass@|password=|sid=|sid='|key=|cookie:|%22|0x1f,|[0]=|(|{"a":|\\"|"a" ==|
-p |login -p|mysql |redis-cli |ldapx |-u a|-u a:| -U a%|/p |--token |token |password is |is the password|bearer |IDENTIFIED BY |authorization: a |
-----BEGIN PRIVATE KEY-----|eyJ|AKIA|SK|ops_|glsa_|dckr_pat_|hf_|xoxb-1|ABCD EFGH |pw|name: password, value: |"name":"|path: a |password: >⏎  b|token set from: |password set from: old1 -> |--password, a|xai-|MIIa`
    .replaceAll("\n", "")
    .split("|")
    .map((unit) => unit.replaceAll("⏎", "\n"));

const CHARS = 8_192;
const TIMES = 8;
/** Eight times the text costs eight times the work; what is quadratic costs 64 times. Halfway between, by powers of two. */
const AT_MOST = 24;
/** Below this, µs, the clock of the processor says nothing. */
const FLOOR = 4_000;

/** Least processor time of some tries, µs. */
function work(text: string): number {
  const tries = Array.from({ length: 3 }, () => {
    const before = process.cpuUsage();
    redactSecrets(text);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  return Math.max(FLOOR, Math.min(...tries));
}

describe("the work of redaction grows with the text alone", () => {
  it.each(UNITS)("over and over: %s", (unit) => {
    const long = unit.repeat(Math.ceil((CHARS * TIMES) / unit.length));
    redactSecrets(long.slice(0, 1_024));
    const ratio = work(long.slice(0, CHARS * TIMES)) / work(long.slice(0, CHARS));
    expect(ratio).toBeLessThan(AT_MOST);
  });
});
