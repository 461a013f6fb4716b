import type { LogLine } from "../model/evidence.ts";
import type { Onset } from "../model/finding.ts";
import { createTemplateMiner, type Template, templateText } from "./log-templates.ts";

/** An error message, less what changes from line to line, that was not seen before the trouble. */
export interface NewSignature {
  readonly service: string;
  readonly template: string;
  readonly count: number;
  readonly firstAt: number;
  /** How many lines each version wrote; lines without a version are not in it. */
  readonly versions: ReadonlyMap<string, number>;
  /** When each of its lines was written, and by which version, where the line says so; in order of time. */
  readonly written: readonly { readonly at: number; readonly version: string | undefined }[];
  /** Other services or externals that the text names: whoever complains of another is seldom where it starts. */
  readonly names: readonly string[];
  /** It says that a call of somebody else failed or took too long, without saying whose: any caller may write it. */
  readonly complains: boolean;
}

/** At least so many lines make a signature: one line is an accident. */
const LEAST_LINES = 2;

/**
 * How the usual clients and proxies word a failed call of somebody else.
 * @see https://grpc.io/docs/guides/status-codes/ (UNAVAILABLE, DEADLINE_EXCEEDED); https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
 *   (response flags UH, UF, UT, URX); RFC 9110 §15.6.3–15.6.5 (502, 503, 504); POSIX.1-2017 <errno.h> and getaddrinfo() for
 *   what the system says of a connection (ECONNREFUSED, ECONNRESET, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT, EAI_AGAIN, EAI_NONAME)
 */
const COMPLAINS =
  /\b(upstream|downstream|dependency|circuit.?breaker|deadline.?exceeded|connection (refused|reset)|econn(refused|reset)|etimedout|ehostunreach|enetunreach|connection timed out|no route to host|network is unreachable|name resolution|name or service not known|bad gateway|service unavailable|gateway time-?out|50[234]|no healthy)\b/i;

/** Error signatures that began with the trouble, whatever the order of the lines. `known`: names of services and externals. */
export function newSignatures(
  logs: readonly LogLine[],
  onset: Onset,
  slackMs: number,
  known: ReadonlySet<string>,
): readonly NewSignature[] {
  const old = new Set<Template>();
  const fresh = new Map<string, Map<Template, LogLine[]>>();
  for (const { line, template } of minedOnce(logs)) {
    if (line.at < onset.earliest - slackMs) {
      old.add(template);
      continue;
    }
    if (line.level !== "error" && line.level !== "fatal") continue;
    const ofService = fresh.get(line.service) ?? new Map<Template, LogLine[]>();
    fresh.set(line.service, ofService);
    const lines = ofService.get(template) ?? [];
    lines.push(line);
    ofService.set(template, lines);
  }
  const found: NewSignature[] = [];
  for (const [service, templates] of fresh) {
    for (const [template, lines] of templates) {
      if (old.has(template) || lines.length < LEAST_LINES) continue;
      found.push(signature(service, template, lines, known));
    }
  }
  return found.sort((a, b) => a.firstAt - b.firstAt || (a.service < b.service ? -1 : 1));
}

interface Mined {
  readonly line: LogLine;
  readonly template: Template;
}

/** The lines in order of time, each with its group. Incidents that are open at once ask about the same lines of a case. */
function minedOnce(logs: readonly LogLine[]): readonly Mined[] {
  const known = mined.get(logs);
  if (known !== undefined) return known;
  const miner = createTemplateMiner();
  const found = logs.toSorted(byTime).map((line) => ({ line, template: miner.add(line.message) }));
  mined.set(logs, found);
  return found;
}

const mined = new WeakMap<readonly LogLine[], readonly Mined[]>();

const byTime = (a: LogLine, b: LogLine): number =>
  a.at - b.at || (a.service === b.service ? (a.message < b.message ? -1 : 1) : a.service < b.service ? -1 : 1);

function signature(
  service: string,
  template: Template,
  lines: readonly LogLine[],
  known: ReadonlySet<string>,
): NewSignature {
  const versions = new Map<string, number>();
  for (const { version } of lines) if (version !== undefined) versions.set(version, (versions.get(version) ?? 0) + 1);
  const words = new Set(lines.flatMap(({ message }) => message.split(/[^A-Za-z0-9_-]+/)));
  const text = templateText(template);
  return {
    service,
    // Sentences put it between quotation marks, and what stands between those is fenced as outside text.
    template: text.replaceAll('"', "'"),
    count: lines.length,
    firstAt: Math.min(...lines.map(({ at }) => at)),
    versions,
    written: lines.map(({ at, version }) => ({ at, version })),
    names: [...known].filter((name) => name !== service && words.has(name)).sort(),
    complains: lines.some(({ message }) => COMPLAINS.test(message)),
  };
}
