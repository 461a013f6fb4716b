import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const LAUNCHDARKLY_TOKEN = "api-11111111-2222-3333-4444-555555555555";

interface State {
  readonly on: boolean;
  readonly version: number;
  readonly lastModified: number;
  readonly offVariation: number | null;
  readonly fallthrough: unknown;
  readonly rules: readonly unknown[];
  readonly prerequisites: readonly { readonly key: string; readonly variation: number }[];
}
type View = { key: string; archived: boolean; _version: number; environments: Record<string, State> };

/**
 * The part of LaunchDarkly's REST API v2 that switching flags needs: flags of a project and one of them (`env` filters
 * environments; a list holds prerequisites and rules with `summary=0` alone), the JSON patch with tests and a comment (409 where a test fails: nothing is written), the audit log by
 * resource specifier and time (at most 20, newest first) and one entry of it with both versions. `onPatch` comes before
 * the n-th patch (from 1) is applied.
 *
 * @see https://launchdarkly.com/docs/api
 */
export async function fakeLaunchDarkly(options: {
  readonly project: string;
  readonly environments: readonly string[];
}) {
  const flags = new Map<string, View>();
  const log: {
    id: string;
    date: number;
    flag: string;
    environment: string;
    by: string;
    comment: string | null;
    was: View;
    is: View;
  }[] = [];
  const writes: { readonly path: string; readonly body: unknown }[] = [];
  let clock = Date.UTC(2026, 0, 1, 12);
  let patches = 0;
  let onPatch: (turn: number, response: ServerResponse) => "go on" | "answered" = () => "go on";

  const change = (key: string, environment: string, to: Partial<State>, by: string, comment: string | null = null) => {
    const was = flags.get(key);
    const state = was?.environments[environment];
    if (was === undefined || state === undefined) throw new Error(`no flag ${key} in ${environment}`);
    clock += 1000;
    const next = { ...state, ...to, version: state.version + 1, lastModified: clock };
    const is = { ...was, _version: was._version + 1, environments: { ...was.environments, [environment]: next } };
    flags.set(key, is);
    log.push({ id: `entry-${log.length + 1}`, date: clock, flag: key, environment, by, comment, was, is });
  };
  const entryView = (one: (typeof log)[number], whole: boolean) => {
    const before = one.was.environments[one.environment]?.on;
    const after = one.is.environments[one.environment]?.on;
    return {
      _id: one.id,
      date: one.date,
      kind: "flag",
      name: one.flag,
      titleVerb: before === after ? "updated the targeting of the flag" : `turned ${after ? "on" : "off"} the flag`,
      ...(one.by.includes("@") ? { member: { email: one.by } } : { token: { name: one.by } }),
      comment: one.comment ?? "",
      target: { name: one.flag, resources: [resource(one)] },
      ...(whole ? { previousVersion: one.was, currentVersion: one.is } : {}),
    };
  };
  const resource = (one: { flag: string; environment: string }) =>
    `proj/${options.project}:env/${one.environment}:flag/${one.flag}`;

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "", "http://fake");
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.headers.authorization !== LAUNCHDARKLY_TOKEN) return send(401, { code: "unauthorized" });
    let text = "";
    for await (const chunk of request) text += chunk;
    const shown = (flag: View) => {
      const env = url.searchParams.get("env");
      const environments = Object.entries(flag.environments).filter(([name]) => env === null || name === env);
      return { ...flag, environments: Object.fromEntries(environments) };
    };
    const number = (name: string, unless: number) => Number(url.searchParams.get(name) ?? unless);
    if (url.pathname === "/api/v2/auditlog") {
      const spec = url.searchParams.get("spec") ?? "";
      const fits = new RegExp(`^${spec.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^:]*")}$`);
      const found = log
        .filter((one) => fits.test(resource(one)))
        .filter(({ date }) => date > number("after", 0) && date < number("before", Number.MAX_SAFE_INTEGER));
      const items = found.toReversed().slice(0, Math.min(20, number("limit", 10)));
      return send(200, { items: items.map((one) => entryView(one, false)) });
    }
    const entry = /^\/api\/v2\/auditlog\/([^/]+)$/.exec(url.pathname);
    if (entry !== null) {
      const one = log.find(({ id }) => id === entry[1]);
      return one === undefined ? send(404, { code: "not_found" }) : send(200, entryView(one, true));
    }
    const [, project, key] = /^\/api\/v2\/flags\/([^/]+)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    if (project !== options.project) return send(404, { code: "not_found" });
    if (key === undefined) {
      const offset = number("offset", 0);
      const listed = (flag: View) => (url.searchParams.get("summary") === "0" ? shown(flag) : summary(shown(flag)));
      const items = [...flags.values()].slice(offset, offset + number("limit", 20)).map(listed);
      return send(200, { items, totalCount: flags.size });
    }
    const flag = flags.get(key);
    if (flag === undefined) return send(404, { code: "not_found" });
    if (request.method === "GET") return send(200, shown(flag));
    const body = JSON.parse(text) as { comment?: string; patch: { op: string; path: string; value: unknown }[] };
    writes.push({ path: `${request.method} ${url.pathname}`, body });
    if (request.headers["content-type"] !== "application/json") return send(400, { code: "invalid_request" });
    if (onPatch(++patches, response) === "answered") return undefined;
    const now = flags.get(key) ?? flag;
    for (const { op, path, value } of body.patch) {
      const [, , environment = "", field = ""] = path.split("/");
      const state = now.environments[environment];
      if (state === undefined) return send(400, { code: "invalid_request" });
      if (op === "test" && state[field as keyof State] !== value)
        return send(409, { code: "optimistic_locking_error" });
      if (op === "replace") change(key, environment, { [field]: value }, "unship", body.comment ?? null);
    }
    return send(200, flags.get(key));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    writes,
    create(
      key: string,
      more: {
        readonly offVariation?: number | null;
        readonly archived?: boolean;
        /** Flags that are its prerequisites. */
        readonly needs?: readonly string[];
      } = {},
    ) {
      const state = {
        on: false,
        version: 1,
        lastModified: clock,
        offVariation: more.offVariation === undefined ? 1 : more.offVariation,
        fallthrough: { variation: 0 },
        rules: [],
        prerequisites: (more.needs ?? []).map((needed) => ({ key: needed, variation: 0 })),
      };
      const environments = Object.fromEntries(options.environments.map((name) => [name, state]));
      flags.set(key, { key, archived: more.archived ?? false, _version: 1, environments });
    },
    change,
    onPatch(does: typeof onPatch) {
      onPatch = does;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function summary(flag: View) {
  const short = ({ rules: _, prerequisites: __, ...rest }: State) => rest;
  const environments = Object.entries(flag.environments).map(([name, state]) => [name, short(state)]);
  return { ...flag, environments: Object.fromEntries(environments) };
}
