import { z } from "zod";
import { type AskOptions, createHttp, type Http, path } from "../http.ts";

/** A flag's state in one environment. `version` grows by one with each change of it there. */
const FlagEnvironment = z.looseObject({
  on: z.boolean(),
  version: z.int(),
  lastModified: z.number().nullish(),
  offVariation: z.int().nullish(),
  fallthrough: z.unknown().optional(),
  rules: z.array(z.unknown()).nullish(),
  targets: z.array(z.unknown()).nullish(),
  /** Flags that have to be on, and serve this variation, for this one to serve anything but its off variation. */
  prerequisites: z.array(z.looseObject({ key: z.string() })).nullish(),
});
export type FlagEnvironment = z.infer<typeof FlagEnvironment>;

export const Flag = z.looseObject({
  key: z.string(),
  archived: z.boolean().nullish(),
  environments: z.record(z.string(), FlagEnvironment).nullish(),
});
export type Flag = z.infer<typeof Flag>;

/** An entry of the audit log. What changed stands in the entry alone, asked for by its id. */
export const AuditEntry = z.looseObject({
  _id: z.string(),
  date: z.coerce.number(),
  comment: z.string().nullish(),
  titleVerb: z.string().nullish(),
  member: z.looseObject({ email: z.string().nullish() }).nullish(),
  token: z.looseObject({ name: z.string().nullish() }).nullish(),
  app: z.looseObject({ name: z.string().nullish() }).nullish(),
  target: z.looseObject({ name: z.string().nullish(), resources: z.array(z.string()).nullish() }).nullish(),
  previousVersion: z.unknown().optional(),
  currentVersion: z.unknown().optional(),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

export interface LaunchDarklyOptions {
  /** "https://app.launchdarkly.com", or the one of the EU or federal instance; not its /api. */
  readonly endpoint: URL;
  /** A service token or a personal one, sent as it is. */
  readonly token: string;
  readonly project: string;
  readonly environment: string;
  readonly timeoutMs?: number;
}

/** The parts of LaunchDarkly's REST API v2 that unship uses, for one project and environment. Throws as `Http` does. */
export interface LaunchDarklyClient {
  readonly source: string;
  readonly project: string;
  readonly environment: string;
  flags(abort: AbortSignal): Promise<readonly Flag[]>;
  flag(key: string, abort: AbortSignal): Promise<Flag>;
  /**
   * Keys of the flags that are on and would serve their off variation with this one: those that have it as a
   * prerequisite, and those that have them.
   */
  dependents(key: string, abort: AbortSignal): Promise<readonly string[]>;
  /** The newest entries about this flag, a page of them, newest first. */
  audit(flag: string, abort: AbortSignal): Promise<readonly AuditEntry[]>;
  /** Entries about all flags of the environment from `from` to `to` (Unix ms, both included); newest first. */
  auditWindow(
    window: { readonly from: number; readonly to: number },
    abort: AbortSignal,
  ): Promise<readonly AuditEntry[]>;
  auditEntry(id: string, abort: AbortSignal): Promise<AuditEntry>;
  /** Off, if it still is on at this version there; else nothing happens and it throws. `comment` stands in the audit log. */
  switchOff(key: string, version: number, comment: string, abort: AbortSignal): Promise<Flag>;
  close(): Promise<void>;
}

/** The most flags that one page may hold, and the most entries of the audit log. */
const FLAGS_PAGE = 100;
const AUDIT_PAGE = 20;
/** Entries that are read in one look: a window with more is a bulk edit, and each costs a request. */
const AUDIT_MOST = 200;
/** More flags than any project is known to have; a server that gives the same page again would be asked for ever. */
const FLAGS_MOST = 20_000;

/**
 * The switch is a JSON patch and no semantic one (`turnFlagOff`), since only a JSON patch can test what it expects
 * before it writes, as a whole or not at all.
 *
 * @see https://launchdarkly.com/docs/api/feature-flags/get-feature-flags (and get-feature-flag, patch-feature-flag;
 *   a list holds prerequisites with "summary=0" alone)
 * @see https://launchdarkly.com/docs/api#updates-using-json-patch (tests of preconditions, comments)
 * @see https://launchdarkly.com/docs/api/audit-log/get-audit-log-entries (and get-audit-log-entry)
 */
export function launchDarklyClient(options: LaunchDarklyOptions): LaunchDarklyClient {
  const { endpoint, token, project, environment, timeoutMs } = options;
  const source = "launchdarkly";
  const http: Http = createHttp({
    source,
    base: endpoint,
    headers: { authorization: token },
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const FlagPage = z.looseObject({ items: z.array(Flag) });
  const AuditPage = z.looseObject({ items: z.array(AuditEntry) });
  async function entries(
    { flag = "*", after, before }: { readonly flag?: string; readonly after?: number; readonly before?: number },
    abort: AbortSignal,
    options: AskOptions,
  ): Promise<readonly AuditEntry[]> {
    const spec = `proj/${project}:env/${environment}:flag/${flag}`;
    const common = path`/api/v2/auditlog?spec=${spec}&limit=${AUDIT_PAGE}`;
    const since = after === undefined ? "" : `&after=${after}`;
    const until = before === undefined ? "" : `&before=${before}`;
    return (await http.getJson(`${common}${since}${until}` as typeof common, AuditPage, abort, options)).items;
  }
  const flags = (summary: 0 | 1, abort: AbortSignal): Promise<readonly Flag[]> =>
    http.pages(0, { what: "flags", most: FLAGS_MOST, pageSize: FLAGS_PAGE }, async (offset, spent) => {
      const page = path`/api/v2/flags/${project}?env=${environment}&summary=${summary}&limit=${FLAGS_PAGE}&offset=${offset}`;
      const { items } = await http.getJson(page, FlagPage, abort, { spent });
      return { items, next: items.length < FLAGS_PAGE ? null : offset + FLAGS_PAGE };
    });
  return {
    source,
    project,
    environment,
    flags: (abort) => flags(1, abort),
    async dependents(key, abort) {
      const on = (await flags(0, abort)).filter(
        ({ archived, environments }) => archived !== true && environments?.[environment]?.on === true,
      );
      return dependentsOf(key, on, environment);
    },
    flag: (key, abort) => http.getJson(path`/api/v2/flags/${project}/${key}?env=${environment}`, Flag, abort),
    audit: (flag, abort) => entries({ flag }, abort, {}),
    async auditWindow({ from, to }, abort) {
      const bounds = { what: "changes of flags in one window", most: AUDIT_MOST, pageSize: AUDIT_PAGE };
      const newest: number | "newest" = Number.isFinite(to) ? to + 1 : "newest";
      const all = await http.pages(newest, bounds, async (before, spent) => {
        const until = before === "newest" ? {} : { before };
        const items = await entries({ after: from - 1, ...until }, abort, { spent });
        const oldest = items.at(-1)?.date;
        // Entries of one millisecond may be cut by a page's end: that millisecond is asked for again.
        return { items, next: items.length < AUDIT_PAGE || oldest === undefined ? null : oldest + 1 };
      });
      return [...new Map(all.map((entry) => [entry._id, entry])).values()];
    },
    auditEntry: (id, abort) => http.getJson(path`/api/v2/auditlog/${id}`, AuditEntry, abort),
    async switchOff(key, version, comment, abort) {
      const at = `/environments/${environment.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      const patch = [
        { op: "test", path: `${at}/version`, value: version },
        { op: "test", path: `${at}/on`, value: true },
        { op: "replace", path: `${at}/on`, value: false },
      ];
      const to = path`/api/v2/flags/${project}/${key}`;
      return (await http.send("PATCH", to, { comment, patch }, "application/json", Flag, abort)).body;
    },
    close: () => http.close(),
  };
}

/** Those of the flags that need this one, directly or through another of them. */
function dependentsOf(key: string, flags: readonly Flag[], environment: string): readonly string[] {
  const found = new Set([key]);
  const needs = ({ environments }: Flag) => environments?.[environment]?.prerequisites?.map((one) => one.key) ?? [];
  for (let before = 0; before < found.size; ) {
    before = found.size;
    for (const flag of flags) if (needs(flag).some((one) => found.has(one))) found.add(flag.key);
  }
  found.delete(key);
  return [...found];
}
