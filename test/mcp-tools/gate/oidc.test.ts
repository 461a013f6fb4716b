import { createSecretKey, generateKeyPairSync } from "node:crypto";
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from "jose";
import { describe, expect, it } from "vitest";
import type { OidcConfig } from "../../../core/config/config.ts";
import { oauthCaller } from "../../../core/guardrails/approver-rights.ts";
import { createHttp, pathOfUrl } from "../../../mcp-tools/connectors/http.ts";
import { createOidcVerifier } from "../../../mcp-tools/gate/oidc.ts";
import type { GateConfig } from "../../../mcp-tools/gate/parts.ts";
import { MINUTE, NOW, policyOf } from "../../core/guardrails/rule-inputs.ts";
import { fakeIssuer } from "../../fakes/fake-issuer.ts";
import { openListening } from "../listener/listening.ts";
import { ALICE_TOKEN, APPROVERS, BOB_TOKEN } from "./gate-world.ts";

const SECOND = NOW / 1000;
type Issuer = Awaited<ReturnType<typeof fakeIssuer>>;

const oidcOf = (issuer: Issuer, change: Partial<OidcConfig> = {}): OidcConfig => ({
  issuer: issuer.issuer,
  audience: "unship",
  jwksUrl: issuer.jwksUrl,
  algorithms: ["RS256", "ES256"],
  claim: "sub",
  ...change,
});

function verifierOf(oidc: OidcConfig, otherAudience?: string) {
  const url = new URL(oidc.jwksUrl);
  const http = createHttp({ source: "keys", base: new URL(url.origin) });
  return createOidcVerifier(oidc, otherAudience, (abort) => http.getText(pathOfUrl(url), abort));
}

const good = (issuer: Issuer, change: Readonly<Record<string, unknown>> = {}) => ({
  iss: issuer.issuer,
  aud: "unship",
  sub: "alice@idp",
  iat: SECOND - 60,
  exp: SECOND + 600,
  ...change,
});

const approvers = APPROVERS.map(({ tokenKey, ...one }) =>
  one.name === "alice" ? { ...one, oidc: "alice@idp" } : { ...one, ...(tokenKey === undefined ? {} : { tokenKey }) },
);
const config: GateConfig = { ...policyOf({ mode: "approve" }), approvers };

/** The listener of a gate that trusts this issuer, and a plan that waits. */
async function opened(issuer: Issuer, change: Partial<OidcConfig> = {}) {
  const on = await openListening({ config, parts: { identity: { oidc: verifierOf(oidcOf(issuer, change)) } } });
  const plan = await on.held();
  const approve = (token: string) => on.ask(`/v1/plans/${plan.id}/approve`, { token, body: { hash: plan.hash } });
  return { on, plan, approve, [Symbol.asyncDispose]: () => on[Symbol.asyncDispose]() };
}

describe("the imitated issuer", () => {
  it("makes tokens and keys that a foreign library accepts, and no others", async () => {
    await using issuer = await fakeIssuer();
    const discovery = await (await fetch(`${issuer.issuer}/.well-known/openid-configuration`)).json();
    expect(discovery).toEqual({ issuer: issuer.issuer, jwks_uri: issuer.jwksUrl });
    const keys = createLocalJWKSet((await (await fetch(issuer.jwksUrl)).json()) as JSONWebKeySet);
    for (const header of [
      { alg: "RS256", kid: "rsa-1" },
      { alg: "ES256", kid: "ec-1" },
    ]) {
      const token = issuer.token({ sub: "x" }, header);
      expect((await jwtVerify(token, keys)).payload).toEqual({ sub: "x" });
      await expect(jwtVerify(`${token.slice(0, -8)}AAAAAAAA`, keys)).rejects.toThrow("signature");
    }
  });
});

describe("an approval with a token of the issuer", () => {
  it("S3: one that was issued for callers of MCP too counts for neither", async () => {
    await using issuer = await fakeIssuer();
    const header = { alg: "RS256", kid: "rsa-1" };
    const both = issuer.token(good(issuer, { aud: ["unship", "https://unship.example/mcp"] }), header);
    const approvals = verifierOf(oidcOf(issuer), "https://unship.example/mcp");
    const mcp = verifierOf(oidcOf(issuer, { audience: "https://unship.example/mcp" }), "unship");
    const refusal = expect.stringContaining("for approvers and for callers of MCP at once");
    expect(await approvals(both, SECOND * 1000)).toEqual({ refusal });
    expect(await mcp(both, SECOND * 1000)).toEqual({ refusal });
    expect(await approvals(issuer.token(good(issuer), header), SECOND * 1000)).toMatchObject({ subject: "alice@idp" });
  });

  it.each([
    ["signed by RSA", { alg: "RS256", kid: "rsa-1" }],
    ["signed by an elliptic curve", { alg: "ES256", kid: "ec-1" }],
  ])("%s is the approver's whom it names, and the ledger says how they showed it", async (_, header) => {
    await using issuer = await fakeIssuer();
    await using world = await opened(issuer);
    const answer = await world.approve(issuer.token(good(issuer), header));
    expect(answer).toMatchObject({ status: 200, body: { approved_by: "alice" } });
    expect(await world.on.world.store.entries({ kinds: ["approval.given"] })).toMatchObject([
      { actor: "alice", body: { via: "oidc" } },
    ]);
    expect(await world.on.world.gate.submit(world.plan.id)).toMatchObject({ outcome: "executed" });
  });

  const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  it.each<[string, RegExp, (issuer: Issuer) => string]>([
    ["for another audience", /for another audience/, (one) => one.token(good(one, { aud: "another-app" }))],
    ["for no audience", /for another audience/, (one) => one.token(good(one, { aud: undefined }))],
    ["of a foreign issuer", /of another issuer/, (one) => one.token(good(one, { iss: "https://evil.example" }))],
    ["that has expired", /has expired/, (one) => one.token(good(one, { exp: SECOND - 60 }))],
    ["without an expiry", /has no expiry/, (one) => one.token(good(one, { exp: undefined }))],
    ["that does not count yet", /does not count yet/, (one) => one.token(good(one, { nbf: SECOND + 600 }))],
    ["without a signature (alg none)", /not allowed/, (one) => one.token(good(one), { alg: "none" })],
    [
      "signed with the public key as an HMAC secret (key confusion)",
      /not allowed/,
      (one) => one.token(good(one), { alg: "HS256", kid: "rsa-1" }, createSecretKey(Buffer.from(one.publicPem))),
    ],
    [
      "of a key that the issuer does not have",
      /names a key/,
      (one) => one.token(good(one), { alg: "RS256", kid: "x" }),
    ],
    [
      "signed by somebody else",
      /signature is wrong/,
      (one) => one.token(good(one), { alg: "RS256", kid: "rsa-1" }, other),
    ],
    [
      "that brings its own key along",
      /signature is wrong/,
      (one) => one.token(good(one), { alg: "RS256", kid: "rsa-1", jwk: other.export({ format: "jwk" }) }, other),
    ],
    ["that names nobody", /no sub/, (one) => one.token(good(one, { sub: undefined }))],
    ["whose subject is no text", /no token of the issuer|no sub/, (one) => one.token(good(one, { sub: 7 }))],
    [
      "whose claims were edited after it was signed",
      /signature is wrong/,
      (one) => {
        const [head, , signature] = one.token(good(one, { sub: "bob@idp" })).split(".");
        const [, claims] = one.token(good(one)).split(".");
        return [head, claims, signature].join(".");
      },
    ],
    [
      "that is cut off",
      /no token of the issuer|signature is wrong/,
      (one) => `${one.token(good(one)).slice(0, 40)}.e30.`,
    ],
  ])("%s is refused, says why, and stands in the ledger", async (_, why, make) => {
    await using issuer = await fakeIssuer();
    await using world = await opened(issuer);
    const token = make(issuer);
    const answer = await world.approve(token);
    expect(answer).toMatchObject({
      status: 401,
      body: { error: { code: "identity.refused", message: expect.stringMatching(why) } },
    });
    const [entry] = await world.on.world.store.entries({ kinds: ["identity.refused"] });
    expect(entry).toMatchObject({ actor: "unknown", body: { via: "oidc", reason: expect.stringMatching(why) } });
    expect(JSON.stringify(entry)).not.toContain(token.split(".")[1]);
    expect(await world.on.world.gate.submit(world.plan.id)).toMatchObject({ outcome: "held" });
  });

  it("that is good but names no approver is refused, and the ledger says whom it named", async () => {
    await using issuer = await fakeIssuer();
    await using world = await opened(issuer);
    const answer = await world.approve(issuer.token(good(issuer, { sub: "mallory@idp" })));
    expect(answer).toMatchObject({ status: 401, body: { error: { message: expect.stringContaining("no approver") } } });
    expect(await world.on.world.store.entries({ kinds: ["identity.refused"] })).toMatchObject([
      { body: { subject: "mallory@idp" } },
    ]);
  });

  it("a subject that only looks like the approver's is another", async () => {
    await using issuer = await fakeIssuer();
    await using world = await opened(issuer);
    for (const sub of ["Alice@idp", "аlice@idp", "alice@idp "]) {
      expect(await world.approve(issuer.token(good(issuer, { sub })))).toMatchObject({ status: 401 });
    }
  });

  it.each([
    ["verified", true, 200],
    ["not verified", false, 401],
    ["verified by a text", "true", 401],
    ["of unknown standing", undefined, 401],
  ])("by an e-mail address that is %s", async (_, verified, status) => {
    await using issuer = await fakeIssuer();
    await using world = await opened(issuer, { claim: "email" });
    const claims = good(issuer, { sub: "1", email: "alice@idp", email_verified: verified });
    expect(await world.approve(issuer.token(claims))).toMatchObject({ status });
  });

  it("unknown keys do not make it ask the issuer again and again", async () => {
    await using issuer = await fakeIssuer();
    await using world = await opened(issuer);
    expect(await world.approve(issuer.token(good(issuer)))).toMatchObject({ status: 200 });
    for (let n = 0; n < 5; n += 1) await world.approve(issuer.token(good(issuer), { alg: "RS256", kid: `x-${n}` }));
    expect(issuer.fetched()).toBe(1);
  });

  it("while the issuer's keys cannot be had nobody is let in by it, and a personal token still is", async () => {
    await using issuer = await fakeIssuer();
    issuer.breakDown();
    await using world = await opened(issuer);
    expect(await world.approve(issuer.token(good(issuer)))).toMatchObject({
      status: 401,
      body: { error: { message: expect.stringContaining("the issuer's keys cannot be had") } },
    });
    expect(await world.approve(BOB_TOKEN)).toMatchObject({ status: 200, body: { approved_by: "bob" } });
  });

  it("S4: a clock that jumped back makes no expired token count again", async () => {
    await using issuer = await fakeIssuer();
    await using world = await opened(issuer);
    const { time, store } = world.on.world;
    const token = issuer.token(good(issuer, { exp: SECOND + 60 }));
    time.now += 5 * MINUTE;
    await store.append({ kind: "note", incidentId: null, planId: null, actor: "test", body: {} });
    time.now -= 5 * MINUTE;
    expect(await world.approve(token)).toMatchObject({
      status: 401,
      body: { error: { message: expect.stringContaining("expired by the ledger's time") } },
    });
    expect(await world.on.kinds()).not.toContain("approval.given");
  });

  it("S3: with a token of the issuer nobody approves what they proposed", async () => {
    await using issuer = await fakeIssuer();
    await using on = await openListening({ config, parts: { identity: { oidc: verifierOf(oidcOf(issuer)) } } });
    const plan = await on.held({ proposedBy: "mcp:http(alice):assistant" });
    const sending = { token: issuer.token(good(issuer)), body: { hash: plan.hash } };
    expect(await on.ask(`/v1/plans/${plan.id}/approve`, sending)).toMatchObject({ status: 403 });
  });
});

describe("whoever proposed a plan with an access token, where the file knows people by their e-mail address", () => {
  const approvers = APPROVERS.map((one) => (one.name === "alice" ? { ...one, oidc: "alice@example.com" } : one));
  const asking = async (issuer: Issuer, proposedBy: string) => {
    const identity = { oidc: verifierOf(oidcOf(issuer, { claim: "email" })), oidcClaim: "email" } as const;
    const on = await openListening({ config: { ...config, approvers }, parts: { identity } });
    const plan = await on.held({ proposedBy });
    const approve = (token: string) => on.ask(`/v1/plans/${plan.id}/approve`, { token, body: { hash: plan.hash } });
    return { on, plan, approve, [Symbol.asyncDispose]: () => on[Symbol.asyncDispose]() };
  };
  const tokenOf = (issuer: Issuer, sub: string) =>
    issuer.token(good(issuer, { sub, email: "alice@example.com", email_verified: true }));
  const by = (sub: string) => `mcp:http(${oauthCaller(sub)}):assistant`;

  it.each<[string, string, string, number, RegExp]>([
    ["S3: the same person is refused, though the two names differ", "idp|7", "idp|7", 403, /a plan of their own/],
    ["somebody else may approve, as a token of the issuer shows", "idp|8", "idp|7", 200, /alice/],
  ])("%s", async (_, proposer, sub, status, said) => {
    await using issuer = await fakeIssuer();
    await using world = await asking(issuer, by(proposer));
    const answer = await world.approve(tokenOf(issuer, sub));
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toMatch(said);
  });

  it("S3: cannot be determined from an approver by a personal token, which therefore does not do", async () => {
    await using issuer = await fakeIssuer();
    await using world = await asking(issuer, by("idp|7"));
    const { gate } = world.on.world;
    await expect(gate.approve(world.plan.id, ALICE_TOKEN)).rejects.toThrow("only a token of the issuer tells");
    expect(await gate.submit(world.plan.id)).toMatchObject({ outcome: "held" });
    await using other = await asking(issuer, "mcp:http(bot):assistant");
    expect(await other.on.world.gate.approve(other.plan.id, ALICE_TOKEN)).toMatchObject({ by: "alice" });
  });
});
