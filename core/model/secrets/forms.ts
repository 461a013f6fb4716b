import { isHexOrUuid, isIdentifier, isOpaque, isRandom } from "./looks.ts";
import { prefixed } from "./prefixes.ts";
import { type Span, spansOf } from "./span.ts";

/**
 * Secrets that are known by their own form, wherever they stand: keys in PEM, JSON Web Tokens, headers, passwords in addresses,
 * tokens that a vendor marks by a prefix, and what only a random generator writes.
 */
export function formed(text: string): readonly Span[] {
  return [
    ...FORMS.flatMap(([pattern, group, what]) => spansOf(text, pattern, group, what)),
    ...prefixed(text),
    ...inAddresses(text),
    ...random(text),
  ];
}

const FORMS: readonly (readonly [pattern: RegExp, group?: number, what?: string])[] = [
  // RFC 7468, and what was cut off before its end.
  [
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|$)/dg,
    0,
    "private key",
  ],
  // The first line of its body where each line was logged by itself: DER of a sequence (RFC 5958, 8017, 5915), OpenSSH's own form.
  [
    /(?<![\w+/=-])(?:MI[GHI][A-Za-z0-9+/]{45,61}|b3BlbnNzaC1rZXktdjE[A-Za-z0-9+/]{20,60})={0,2}(?![\w+/=-])/dg,
    0,
    "private key",
  ],
  // RFC 7519, also where it was cut, and tokens that are base64 of JSON in one part.
  [/\beyJ[\w-]{6,}(?:\.[\w-]{6,}(?:\.[\w-]*){0,3})/dg, 0, "token"],
  [/\beyJ[\w-]{40,}={0,2}/dg],
  // RFC 9110 section 11.6.2: all that stands behind it in the header, the parameters of Digest and AWS4 included.
  [
    /\b(?:proxy-)?authorization\\*["']?\s{0,4}(?:[:=]|=>)\s{0,4}\[?\\*["']?((?:[a-z][\w-]{0,20}\s{1,4})?[^\s"',;\\]+(?:,? [A-Za-z]{2,20}=\\?"?[^\s",]+)*)/dgi,
    1,
  ],
  // RFC 6265: a cookie's value, whatever its name: pairs of a name and a value, so that a service may be called `cookie`.
  [/\b(?:set-)?cookie\\*["']?\s{0,4}[:=]\s{0,4}\\*["']?((?=[^\r\n"'\\;=]{1,256}=)[^\s"'\\][^\r\n"'\\]*)/dgi, 1],
  [/\b(?:AKIA|ASIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|A3T[A-Z0-9])[A-Z0-9]{16}\b/dg, 0, "AWS key"],
  // crypt(5): hashes of passwords.
  [/\$(?:2[abxy]|[156789y]|argon2\w{1,2})\$[\w./$=,+-]{20,}/dg],
  [/\bhooks\.slack\.com\/(?:services|workflows|triggers)\/([\w/]+)/dg, 1],
  [/\bdiscord(?:app)?\.com\/api\/webhooks\/(\d+\/[\w-]+)/dg, 1],
  [/\boutlook\.office\.com\/webhook\/([\w@/-]+)/dg, 1],
  [/\bwebhook\.office\.com\/webhookb2\/([\w@/-]+)/dg, 1],
  // Telegram (id:token), Discord (three parts), Mailchimp (key-region), Azure AD (three, digit, Q~), Azure keys, Twilio, X.
  [/(?<![\w:])\d{8,10}:AA[\w-]{30,}/dg],
  [/\b[MNO][A-Za-z\d]{22,27}\.[\w-]{6}\.[\w-]{25,}/dg],
  [/\b[0-9a-f]{32}-us\d{1,2}\b/dg],
  [/(?<![\w~])[A-Za-z0-9]{3}\dQ~[\w.~-]{30,}/dg],
  [/\b[A-Za-z0-9+/]{40,86}(?:JQQJ99|AzF|ACDb|\+ASt)[A-Za-z0-9+/]{5,40}={0,2}/dg],
  // Mailgun, Terraform Cloud, Braintree, NATS seeds, Facebook, Salesforce sessions.
  [/\b[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}\b/dg],
  [/\b[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,}/dg],
  [/\baccess_token\$\w{1,12}\$[\w$]{16,}/dg],
  [/\bS[ACNOUX][A-Z0-9]{56}\b/dg],
  [/\b\d{13,17}\|[\w-]{20,}/dg],
  [/\b00D\w{12}![\w.]{60,}/dg],
  [/\b(?:SK|AC)[0-9a-f]{32}\b|\bSK[0-9A-F]{32}\b/dg],
  [/\bA{20,}[\w%]{40,}/dg],
];

/** What people call users: words, with a number behind them. */
const USER = /^[A-Za-z]+(?:[._-][A-Za-z]+)*[._-]?\d{0,8}$/;

/** RFC 3986 section 3.2.1: the password of the user information, or all of it where it is one opaque word. */
function inAddresses(text: string): readonly Span[] {
  const found: Span[] = [];
  for (const match of text.matchAll(/\b[a-z][a-z0-9+.-]{0,20}:\/\/([^\s/?#"'<>]{1,300})@(?=[\w.$[%-])/dgi)) {
    const [start, end] = match.indices?.[1] ?? [0, 0];
    const colon = match[1]?.indexOf(":") ?? -1;
    if (colon >= 0 && start + colon + 1 < end) found.push({ start: start + colon + 1, end });
    else if (colon < 0 && isOpaque(match[1] ?? "") && end - start >= 10 && !USER.test(match[1] ?? ""))
      found.push({ start, end });
  }
  return found;
}

/** What comes before a digest that is written in base64: subresource integrity, container images, SSH fingerprints. */
const DIGEST_OF = /(?:sha\d{1,3}|md5|blake\w{1,2}|h1)[-:=]?$/i;

function random(text: string): readonly Span[] {
  const found: Span[] = [];
  // An AWS secret access key: 40 characters of base64.
  for (const { index, 0: word } of text.matchAll(/(?<![\w+/=-])[A-Za-z0-9][A-Za-z0-9+/]{39}(?![\w+/=-])/g))
    if (!isHexOrUuid(word) && isRandom(word)) found.push({ start: index, end: index + 40 });
  for (const { index, 0: word } of text.matchAll(/(?<![\w+/=-])[A-Za-z0-9+/_-]{24,}={0,2}/g)) {
    if (isHexOrUuid(word) || isIdentifier(word) || DIGEST_OF.test(text.slice(Math.max(0, index - 8), index))) continue;
    // In a path, and where names are joined, each part is looked at by itself.
    const isBase64 = /[+=]/.test(word) && isRandom(word);
    if (!/sha\d{1,3}-/.test(word) && (isBase64 || word.split(/[/_-]/).some(isRandom)))
      found.push({ start: index, end: index + word.length });
  }
  return found;
}
