import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const UNLEASH_TOKEN = "*:*.secret-admin-token-0123456789";

interface FakeEvent {
  readonly id: number;
  readonly type: string;
  readonly createdAt: string;
  readonly createdBy: string;
  readonly featureName: string;
  readonly project: string;
  readonly environment: string | null;
  readonly data: unknown;
  readonly preData: unknown;
}

/**
 * The part of Unleash's admin API that switching flags needs, as its OpenAPI document describes it: a project's
 * features, one feature with its environments, the event search, and `…/environments/{e}/off`. Switching to what already
 * is writes no event; what an event is by is the token's own name. `onOff` comes before the n-th switch (from 1) is done.
 *
 * @see https://docs.getunleash.io/api
 * @see https://github.com/Unleash/unleash/blob/00bfa90/src/lib/util/extract-user.ts (`createdBy`)
 */
export async function fakeUnleash(options: {
  readonly project: string;
  readonly environments: readonly string[];
  /** Whom `GET /api/admin/user` says that the token is, and whom events of its writes are by; null: it answers 404. */
  readonly identity?: string | null;
}) {
  const features = new Map<string, { strategies: unknown[]; on: Set<string>; children: string[] }>();
  const events: FakeEvent[] = [];
  const writes: string[] = [];
  let clock = Date.UTC(2026, 0, 1, 12);
  let switches = 0;
  let onOff: (turn: number, response: ServerResponse) => "go on" | "answered" = () => "go on";

  const note = (
    type: string,
    featureName: string,
    environment: string | null,
    by: string,
    data: unknown,
    preData: unknown,
  ) => {
    clock += 1000;
    const createdAt = new Date(clock).toISOString();
    events.push({
      id: events.length + 1,
      type,
      createdAt,
      createdBy: by,
      featureName,
      project: options.project,
      environment,
      data,
      preData,
    });
  };
  const toggle = (name: string, environment: string, on: boolean, by: string) => {
    const feature = features.get(name);
    if (feature === undefined || feature.on.has(environment) === on) return;
    if (on) feature.on.add(environment);
    else feature.on.delete(environment);
    note(`feature-environment-${on ? "enabled" : "disabled"}`, name, environment, by, undefined, undefined);
  };
  const view = (name: string) => {
    const feature = features.get(name);
    if (feature === undefined) return null;
    const environments = options.environments.map((environment) => ({
      name: environment,
      enabled: feature.on.has(environment),
      strategies: feature.strategies,
    }));
    return {
      name,
      type: "release",
      project: options.project,
      archived: false,
      environments,
      children: feature.children,
    };
  };

  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "", "http://fake");
    const send = (status: number, body: unknown) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.headers.authorization !== UNLEASH_TOKEN) return send(401, { name: "AuthenticationRequired" });
    if (url.pathname === "/api/admin/user") {
      const { identity } = options;
      if (identity === null) return send(404, { name: "NotFoundError" });
      return send(200, { user: { id: 7, username: identity ?? "unship" }, permissions: [], feedback: [], splash: {} });
    }
    if (request.method !== "GET") writes.push(`${request.method} ${url.pathname}`);
    if (url.pathname === "/api/admin/search/events") {
      const found = events.toReversed().filter((event) => matches(event, url.searchParams));
      const offset = Number(url.searchParams.get("offset") ?? 0);
      return send(200, {
        events: found.slice(offset, offset + Number(url.searchParams.get("limit") ?? 50)),
        total: found.length,
      });
    }
    const [, name, environment] =
      /^\/api\/admin\/projects\/[^/]+\/features(?:\/([^/]+)(?:\/environments\/([^/]+)\/off)?)?$/.exec(url.pathname) ??
      [];
    if (name === undefined) return send(200, { version: 2, features: [...features.keys()].map(view) });
    const feature = view(name);
    if (feature === null) return send(404, { name: "NotFoundError" });
    if (environment === undefined) return send(200, feature);
    if (onOff(++switches, response) === "answered") return undefined;
    toggle(name, environment, false, options.identity ?? "unship");
    return response.writeHead(200).end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    token: UNLEASH_TOKEN,
    writes,
    events,
    create(name: string, strategies: readonly unknown[] = [], children: readonly string[] = []) {
      features.set(name, { strategies: [...strategies], on: new Set(), children: [...children] });
    },
    toggle,
    note,
    onOff(does: typeof onOff) {
      onOff = does;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
export type FakeUnleash = Awaited<ReturnType<typeof fakeUnleash>>;

/** Filters read "IS:value" or "IS_ANY_OF:a,b"; `from` is a day. */
function matches(event: FakeEvent, search: URLSearchParams): boolean {
  const values = (name: string) =>
    search
      .get(name)
      ?.replace(/^IS(_ANY_OF)?:/, "")
      .split(",");
  const fits = (name: string, value: string | null) => values(name)?.includes(value ?? "") ?? true;
  return (
    fits("project", event.project) &&
    fits("environment", event.environment) &&
    fits("feature", event.featureName) &&
    fits("type", event.type) &&
    event.createdAt.slice(0, 10) >= (values("from")?.[0] ?? "")
  );
}
