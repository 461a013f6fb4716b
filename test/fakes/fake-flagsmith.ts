import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const FLAGSMITH_TOKEN = "Xq3fT1.organisation-key-0123456789";
export const ENVIRONMENT_KEY = "B62qaMZNwfiqT76p38ggrQ";
const OTHER_KEY = "ser-other-environment";
export const PROJECT = 42;

interface Entry {
  readonly id: number;
  readonly created_date: string;
  readonly log: string;
  readonly author: { readonly email: string } | null;
  readonly environment: { readonly id: number; readonly name: string; readonly api_key: string };
  readonly related_object_id: number;
  readonly related_object_type: "FEATURE_STATE" | "FEATURE";
  readonly details: readonly { readonly field: string; readonly old: unknown; readonly new: unknown }[];
}

/**
 * The part of Flagsmith's Admin API that switching features needs, in pages: a project's features, the states of an
 * environment, one of them, PATCH of it (which sets `updated_at`, and answers with the feature's number and whether it is
 * on, no more), the project's audit log (newest first, the changes of an entry only where it is asked for alone). A key of
 * the organisation writes without an author. `onPatch` comes before the n-th PATCH (from 1) is applied.
 *
 * @see https://docs.flagsmith.com/clients/rest
 * @see https://github.com/Flagsmith/flagsmith/blob/00c331f/api/features/views.py (partial_update: FeatureStateSerializerCreate)
 */
export async function fakeFlagsmith() {
  const features: { readonly id: number; readonly name: string; readonly is_archived: boolean }[] = [];
  const states = new Map<
    number,
    { id: number; feature: number; enabled: boolean; feature_state_value: unknown; updated_at: string }
  >();
  const log: Entry[] = [];
  const writes: string[] = [];
  let clock = Date.UTC(2026, 0, 1, 12);
  let patches = 0;
  let hidden = false;
  let onPatch: (turn: number, response: ServerResponse) => "go on" | "answered" = () => "go on";

  const stateOf = (name: string) => {
    const feature = features.find((one) => one.name === name);
    const state = [...states.values()].find((one) => one.feature === feature?.id);
    if (state === undefined) throw new Error(`no feature ${name}`);
    return state;
  };
  const note = (name: string, by: string | null, details: Entry["details"], key = ENVIRONMENT_KEY) => {
    log.push({
      id: log.length + 1,
      created_date: new Date(clock + 40).toISOString(),
      log: `Flag state / Remote Config value updated for feature: ${name}`,
      author: by === null ? null : { email: by },
      environment: {
        id: key === ENVIRONMENT_KEY ? 1 : 2,
        name: key === ENVIRONMENT_KEY ? "Production" : "Test",
        api_key: key,
      },
      related_object_id: stateOf(name).id,
      related_object_type: "FEATURE_STATE",
      details,
    });
  };
  const change = (
    name: string,
    to: { readonly enabled?: boolean; readonly feature_state_value?: unknown },
    by: string | null,
  ) => {
    const state = stateOf(name);
    clock += 60_000;
    const details = Object.entries(to)
      .map(([field, value]) => ({ field, old: state[field as keyof typeof state], new: value }))
      .filter((one) => one.old !== one.new);
    states.set(state.id, { ...state, ...to, updated_at: new Date(clock).toISOString() });
    if (details.length > 0) note(name, by, details);
  };

  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "", "http://fake");
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.headers.authorization !== `Api-Key ${FLAGSMITH_TOKEN}`) return send(401, { detail: "Invalid token." });
    let text = "";
    for await (const chunk of request) text += chunk;
    const paged = (all: readonly unknown[]) => {
      const page = Number(url.searchParams.get("page") ?? 1);
      const size = Number(url.searchParams.get("page_size") ?? 10);
      const more = page * size < all.length;
      const next = more ? `http://fake${url.pathname}?page=${page + 1}&page_size=${size}` : null;
      return send(200, { count: all.length, next, previous: null, results: all.slice((page - 1) * size, page * size) });
    };
    const listed = ({ details: _, ...entry }: Entry) => entry;
    if (url.pathname === `/api/v1/projects/${PROJECT}/features/`) return paged(features);
    if (url.pathname === `/api/v1/environments/${ENVIRONMENT_KEY}/featurestates/`) return paged([...states.values()]);
    if (url.pathname === `/api/v1/projects/${PROJECT}/audit/`) return paged(log.toReversed().map(listed));
    const [, entryId] = new RegExp(`^/api/v1/projects/${PROJECT}/audit/(\\d+)/$`).exec(url.pathname) ?? [];
    if (entryId !== undefined) {
      const entry = log.find(({ id }) => id === Number(entryId));
      return entry === undefined ? send(404, {}) : send(200, { ...listed(entry), change_details: entry.details });
    }
    const [, stateId] =
      new RegExp(`^/api/v1/environments/${ENVIRONMENT_KEY}/featurestates/(\\d+)/$`).exec(url.pathname) ?? [];
    const state = states.get(Number(stateId));
    if (state === undefined) return send(404, { detail: "Not found." });
    if (request.method === "GET") return hidden ? send(503, {}) : send(200, state);
    writes.push(`${request.method} ${url.pathname} ${text}`);
    if (request.method !== "PATCH") return send(405, {});
    if (onPatch(++patches, response) === "answered") return undefined;
    const name = features.find(({ id }) => id === state.feature)?.name ?? "";
    change(name, JSON.parse(text), null);
    return send(200, { feature: state.feature, enabled: states.get(state.id)?.enabled });
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    writes,
    create(name: string, more: { readonly archived?: boolean } = {}) {
      const id = features.length + 1;
      features.push({ id, name, is_archived: more.archived ?? false });
      const updated_at = new Date(clock).toISOString();
      states.set(1000 + id, { id: 1000 + id, feature: id, enabled: false, feature_state_value: null, updated_at });
    },
    change,
    /** The same feature, in another environment of the project. */
    noteElsewhere: (name: string) =>
      note(name, "eve@example.com", [{ field: "enabled", old: false, new: true }], OTHER_KEY),
    /** An entry that does not say what changed. */
    noteVaguely: (name: string) => note(name, "eve@example.com", []),
    versionOf: (name: string) => stateOf(name).updated_at,
    onPatch(does: typeof onPatch) {
      onPatch = does;
    },
    /** A single state cannot be read from now on. */
    hideStates() {
      hidden = true;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
