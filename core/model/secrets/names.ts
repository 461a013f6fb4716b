/**
 * Names of fields, variables and options, by what stands behind them. `secret`: it is hidden whatever it looks like.
 * `key`: "key" of something, hidden where it looks like one. `code`: digits of one use. `maybe`: a session, a signature.
 */
export type NameKind = "secret" | "key" | "code" | "maybe" | "none";

/** A part of a name that makes it the name of a secret, wherever it stands in it. */
const SECRET_WORD =
  /^(?:(?:[a-z]*(?:pa?ss?wo?r?s?d|passwort|passphrase|passcode|pwd)|paasword|passowrd|sercret)|(?:user|db|ssh|sudo|become|root|admin|my|sql|mysql|ftp|smtp|ldap|http|key|cert)?pass|pw|(?:[a-z]*|client)secrete?|[a-z]*(?:token|credential)|(?:[a-z]*)(?:api|auth|access|private|secret|app|priv|account|signing|encryption|license)key|psk|passin|passout|requirepass|userpwd|authtoken)$/;

/** "key" behind one of these is a secret: `api_key`, `access key`, `SharedAccessKey`. */
const KEY_KINDS: ReadonlySet<string> = new Set(
  `access account activation admin api app application auth authentication authorization client consumer deploy dev encryption integration
  license master partner priv privacy private secret service session shared signing storage subscription write`.split(
    /\s+/,
  ),
);
/** "key" behind one of these finds something, and opens nothing. */
const KEYS_OF_DATA: ReadonlySet<string> = new Set(
  `batch bucket cache composite correlation customer dedup dedupe error event field foreign group hash host idempotency index issue item job join label lock lookup map
  message metric object option order partition primary public redis registry request row routing shard sort space storage tag task tenant trace user`.split(
    /\s+/,
  ),
);
/** The last word of a name that says something about a secret: `token_file`, `passwordPolicy`, `secret-name`. */
const ABOUT: ReadonlySet<string> = new Set(
  `after age algorithm app at allowed arn attempts bucket broker budget bytes class column complexity controller count deadline duration enabled endpoint
  error errors exists expired expires expiry field file files filename format helper host id ids in index input issuer kind label length
  level limit limits manager max min minutes mode name names namespace order operator owner path policy prompt provider proxy ref refs refresh
  required reset result review rotation rules seconds server service services sha1 sha256 size source state status stdin store strength term ttl type
  typ until uri url usage valid validation vault version worker`.split(/\s+/),
);
const MAYBE =
  /^(?:auth|bearer|jwt|session|sessions|[a-z]*sessionid|[a-z]*sessid|sid|sig|signature|signed|hmac|pat|cookie|[a-z]*session|secrets|passwords|tokens|credentials|creds|nonce|crumb|imsi|response|kerberos|oauth|login|webhook|salt|srt)$/;
const CODE_OF = /^(?:sms|verification|otp|totp|mfa|2fa|security|one|login|passcode|auth|confirm|confirmation)$/;

/** Names come again in each line: what was found of a name is kept. Bounded: emptied when full. */
const known = new Map<string, NameKind>();
const KNOWN_KEPT = 4_096;

/** `name` as it is written, without its quotes: "DB_PASS", "clientSecret", "api key", "--db.password" → what stands behind it. */
export function kindOfName(name: string): NameKind {
  const before = known.get(name);
  if (before !== undefined) return before;
  const kind = judge(wordsOf(name));
  if (known.size >= KNOWN_KEPT) known.clear();
  known.set(name, kind);
  return kind;
}

/** "dbPassword_v2" → db, password, v. */
function wordsOf(name: string): readonly string[] {
  return name
    .replaceAll(/([a-z\d])([A-Z])/g, "$1 $2")
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+|(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])/)
    .filter((word) => word !== "" && !/^\d+$/.test(word));
}

function judge(words: readonly string[]): NameKind {
  const last = words.at(-1) ?? "";
  if (ABOUT.has(last)) return "none";
  const joined = words.join("");
  if (words.some((word) => SECRET_WORD.test(word)) || /^(?:passwd|password|passphrase)/.test(joined)) return "secret";
  if (/(?:^|community)string$/.test(joined) && words.includes("community")) return "secret";
  const key = words.findLastIndex(
    (word) => word === "key" || word === "keys" || word === "api" || /^[a-z]{2,}key$/.test(word),
  );
  if (key >= 0) {
    const of = words[key - 1] ?? "";
    if (/^apikey$|^(?:api|access|auth)key/.test(words[key] ?? "")) return "secret";
    if (KEY_KINDS.has(of) && words[key] !== "keys") return "secret";
    return KEYS_OF_DATA.has(of) || /^(?:mon|don|tur|hot|tur)key$/.test(words[key] ?? "") ? "none" : "key";
  }
  if (words.some((word) => /^(?:otp|totp|pin|mfa|passcode)$/.test(word))) return "code";
  if (last === "code" && words.some((word) => CODE_OF.test(word))) return "code";
  return words.some((word) => MAYBE.test(word)) ? "maybe" : "none";
}
