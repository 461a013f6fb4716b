import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FlagServer, startFlagServer } from "../../../evals/sandbox/flags/server.ts";

/**
 * The expectations are what a real unleash-server 7.5.1 answered to the same requests, asked in the same order on a
 * new instance (ids, times and etags apart).
 */
const ADMIN = { secret: "*:*.admin-secret", kind: "admin", name: "admin" } as const;
const CLIENT = { secret: "default:production.c", kind: "client", name: "pods", environment: "production" } as const;
const FEATURES = "/api/admin/projects/default/features";
const PRODUCTION = `${FEATURES}/express-checkout/environments/production`;

let server: FlagServer;
beforeAll(async () => {
  server = await startFlagServer({ tokens: [ADMIN, CLIENT], environments: ["development", "production"] });
});
afterAll(() => server.close());

interface Ask {
  readonly method?: string;
  readonly token?: string;
  readonly body?: unknown;
  readonly etag?: string;
}

async function ask(path: string, { method = "GET", token = ADMIN.secret, body, etag }: Ask = {}) {
  const answer = await fetch(new URL(path, server.url), {
    method,
    headers: {
      ...(token !== "" && { authorization: token }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(etag !== undefined && { "if-none-match": etag }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, etag: answer.headers.get("etag"), body: text === "" ? undefined : JSON.parse(text) };
}

describe("the flag server", () => {
  it.each([
    [
      "no token",
      FEATURES,
      "",
      401,
      "You must log in to use Unleash. Your request had no authorization header, so we could not authorize you. Try logging in at /auth/simple/login",
    ],
    ["an unknown token", FEATURES, "nonsense", 401, "You must log in to use Unleash."],
    [
      "a client's token at the admin API",
      FEATURES,
      CLIENT.secret,
      403,
      "invalid token: expected a different token type for this endpoint",
    ],
    [
      "no token at the client API",
      "/api/client/features",
      "",
      401,
      "This endpoint requires an API token. Please add an authorization header to your request with a valid token",
    ],
    [
      "a path that there is not",
      "/api/admin/nothing",
      ADMIN.secret,
      404,
      "The path you were looking for (/api/admin/nothing) is not available.",
    ],
  ])("refuses %s in Unleash's words", async (_, path, token, status, message) => {
    const answer = await ask(path, { token });
    expect([answer.status, answer.body.message]).toEqual([status, message]);
  });

  it("creates, switches and shows a flag as Unleash does, and feeds every real change to whoever follows", async () => {
    expect((await ask(FEATURES)).body).toEqual({ version: 2, features: [] });
    const created = await ask(FEATURES, { method: "POST", body: { name: "express-checkout", description: "d" } });
    expect(created.status).toBe(201);
    expect(created.body).toEqual({
      name: "express-checkout",
      description: "d",
      type: "release",
      project: "default",
      stale: false,
      createdAt: expect.any(String),
      lastSeenAt: null,
      impressionData: false,
      archived: false,
    });
    // No strategy yet: Unleash adds its default one when the flag is switched on.
    expect(await ask(`${PRODUCTION}/on`, { method: "POST" })).toEqual({ status: 200, etag: null, body: undefined });
    expect((await ask(`${PRODUCTION}/on`, { method: "POST" })).status).toBe(200);
    const [feature] = (await ask(FEATURES)).body.features;
    expect(feature.environments).toEqual([
      expect.objectContaining({ name: "development", enabled: false, hasStrategies: false }),
      expect.objectContaining({ name: "production", enabled: true, hasStrategies: true, hasEnabledStrategies: true }),
    ]);
    expect((await ask(PRODUCTION)).body).toEqual({
      name: "express-checkout",
      environment: "production",
      enabled: true,
      strategies: [
        expect.objectContaining({
          featureName: "express-checkout",
          name: "flexibleRollout",
          parameters: { groupId: "express-checkout", rollout: "100", stickiness: "default" },
        }),
      ],
    });
    expect((await ask(`${PRODUCTION}/off`, { method: "POST" })).status).toBe(200);

    const { body } = await ask("/api/admin/events?limit=1");
    expect([body.version, body.totalEvents]).toEqual([1, 4]);
    expect(
      body.events.map((event: Record<string, unknown>) => [event.type, event.createdBy, event.environment]),
    ).toEqual([
      ["feature-environment-disabled", "admin", "production"],
      ["feature-environment-enabled", "admin", "production"],
      ["feature-strategy-add", "admin", "production"],
      ["feature-created", "admin", null],
    ]);
    const search = "/api/admin/search/events?limit=1&feature=IS:express-checkout&type=IS:feature-environment-enabled";
    const found = (await ask(search)).body;
    expect([found.total, found.events[0].type]).toEqual([1, "feature-environment-enabled"]);
    expect((await ask(`${search}&to=IS:2020-01-01`)).body).toEqual({ events: [], total: 0 });
    expect((await ask("/api/admin/events/express-checkout")).body.toggleName).toBe("express-checkout");
  });

  it.each([
    [`${FEATURES}/none/environments/production/off`, `There's no feature named "none" in project "default".`],
    [
      "/api/admin/projects/nope/features/express-checkout/environments/production/off",
      `There's no feature named "express-checkout" in project "nope", but there's a feature with that name in project "default"`,
    ],
    [
      `${FEATURES}/express-checkout/environments/mars/off`,
      "Could not find environment mars for feature: express-checkout",
    ],
  ])("answers 404 to POST %s", async (path, message) => {
    const { status, body } = await ask(path, { method: "POST" });
    expect([status, body]).toEqual([
      404,
      { id: expect.any(String), name: "NotFoundError", message, details: [{ message }] },
    ]);
  });

  it("refuses a second flag of one name, and a name that does not fit into a URL", async () => {
    expect((await ask(FEATURES, { method: "POST", body: { name: "express-checkout" } })).status).toBe(409);
    expect((await ask(FEATURES, { method: "POST", body: { name: "b c" } })).status).toBe(400);
  });

  it("tells clients the state of their environment, and nothing twice", async () => {
    const first = await ask("/api/client/features", { token: CLIENT.secret });
    expect(first.body.features[0]).toEqual(expect.objectContaining({ name: "express-checkout", enabled: false }));
    const etag = first.etag ?? "";
    expect((await ask("/api/client/features", { token: CLIENT.secret, etag })).status).toBe(304);
    await ask(`${PRODUCTION}/on`, { method: "POST" });
    const second = await ask("/api/client/features", { token: CLIENT.secret, etag });
    expect([second.status, second.body.features[0].enabled]).toEqual([200, true]);
  });

  it("records every attempt to write, refused ones too, with the token's name", async () => {
    const from = server.writes.length;
    await ask(`${PRODUCTION}/off`, { method: "POST", token: CLIENT.secret });
    await ask(`${PRODUCTION}/off`, { method: "POST", token: "" });
    await ask(`${PRODUCTION}/off`, { method: "POST" });
    await ask(FEATURES);
    expect(server.writes.slice(from).map(({ method, path, by }) => [method, path, by])).toEqual([
      ["POST", `${PRODUCTION}/off`, "pods"],
      ["POST", `${PRODUCTION}/off`, null],
      ["POST", `${PRODUCTION}/off`, "admin"],
    ]);
  });
});
