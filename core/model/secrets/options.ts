import { isNoValue } from "./looks.ts";
import { kindOfName } from "./names.ts";
import { type Span, spansOf } from "./span.ts";

/** A word of a command line: quoted, or up to a blank. Group 1 is what has to be hidden. */
const WORD = String.raw`(?:\\?"([^"\\\r\n]{1,400})|\\?'([^'\\\r\n]{1,400})|([^\s"'<>|,;\])]{1,4096}))`;
/** Between an option and its value: a blank, or the next member of a list of arguments (`'--password', 'x'`). */
const NEXT = String.raw`(?:\s{1,4}|\\?["'],\s{0,2}(?=\\?["']))`;

/** The same in a list of YAML, whose members need no quotes: `[mysql, --password, x]`. */
const LISTED = new RegExp(String.raw`(?<![\w-])--?([A-Za-z][\w.-]{1,40}),\s{1,2}(?!-)${WORD}(?=\s{0,2}[,\]])`, "dg");
const LONG_OPTION = new RegExp(String.raw`(?<![\w-])--?([A-Za-z][\w.-]{1,40})${NEXT}(?!-)${WORD}`, "dg");

/**
 * Options of well-known commands that take a secret and whose name does not say so, each as its manual has it: sshpass(1) -p;
 * docker, podman, helm and oc login -p; mysql -pX; redis-cli -a and --requirepass; ldap* -w; curl and wget -u user:X;
 * smbclient -U user%X; openssl pass:X; vault login X; kubectl --from-literal=name=X; Redis' AUTH X. Also -u user -p X.
 */
const COMMANDS: readonly RegExp[] = [
  String.raw`\bsshpass\s+-p\s*${WORD}`,
  String.raw`\blogin\b[^\r\n]{0,120}?\s-p\s+(?!-)${WORD}`,
  String.raw`\b(?:mysql|mariadb)\w{0,12}\b[^\r\n]{0,120}?\s-p(?![\s-])${WORD}`,
  String.raw`\bredis-cli\b[^\r\n]{0,80}?\s-a\s+${WORD}`,
  String.raw`\brequirepass["']?\s+${WORD}`,
  String.raw`\bldap\w{2,8}\b[^\r\n]{0,160}?\s-w\s+${WORD}`,
  String.raw`(?<![\w-])(?:-u|--user|--proxy-user)[ =]{0,2}\\?["']?[\w.@-]{1,80}:(?!//)([^\s"'\\]{1,400})`,
  String.raw`(?<![\w-])-U\s+["']?[\w.\\/-]{1,80}%([^\s"']{1,400})`,
  String.raw`\bpass(?:in|out)\s+(?:pass:)(\S{1,400})`,
  String.raw`\bvault\s+login\s+(?!-)(?:token=)?(\S{8,400})`,
  String.raw`--from-literal[= ]["']?[\w.-]{1,80}=\\?["']?([^\s"'\\]{1,4096})`,
  String.raw`(?<![\w-])\\?["']?-u\\?["']?,?\s{1,4}\\?["']?[\w.@-]{1,80}\\?["']?,?\s{1,4}\\?["']?-p${NEXT}(?!-)${WORD}`,
  String.raw`(?:^|[\r\n>]\s{0,4})AUTH\s+(?:[\w-]{1,40}\s+)?(?=\S*\d)([^\s]{8,400})`,
  String.raw`(?:^|\s)\/p\s+([^\s/][^\s]{5,80})`,
  String.raw`\bConvertTo-SecureString\b[^\r\n]{0,80}?\s(?:-\w+\s+){0,3}(?!-)${WORD}`,
].map((source) => new RegExp(source, "dg"));

const COMMAND_LIKE = /(?:^|[\s"'[(])--?[a-z]|\brequirepass|\bAUTH\s|\/p\s|\bvault\s|SecureString/i;

/** Options and arguments of commands: people write whole command lines into change causes, commit messages and chats. */
export function givenToCommands(text: string): readonly Span[] {
  if (!COMMAND_LIKE.test(text)) return [];
  return [...named(text), ...COMMANDS.flatMap((pattern) => [1, 2, 3].flatMap((group) => valued(text, pattern, group)))];
}

function named(text: string): readonly Span[] {
  const found: Span[] = [];
  for (const match of [...text.matchAll(LONG_OPTION), ...text.matchAll(LISTED)]) {
    const kind = kindOfName(match[1] ?? "");
    const value = match[2] ?? match[3] ?? match[4] ?? "";
    const at = match.indices?.[2] ?? match.indices?.[3] ?? match.indices?.[4];
    if (at === undefined || isNoValue(value)) continue;
    if (kind === "secret" || (kind !== "none" && /\d/.test(value) && value.length >= 8))
      found.push({ start: at[0], end: at[1] });
  }
  return found;
}

const valued = (text: string, pattern: RegExp, group: number): readonly Span[] =>
  spansOf(text, pattern, group).filter(({ start, end }) => !isNoValue(text.slice(start, end)));
