// biome-ignore-all lint/suspicious/noTemplateCurlyInString: secrets are spelled so in the file
import { describe, expect, it } from "vitest";
import { explain } from "../../../core/config/explain.ts";
import { loaded, problems, SOURCES } from "./fixtures.ts";

const SHA = "A1".repeat(32);

describe("who may call over HTTP", () => {
  it("is this machine alone where the file says nothing", () => {
    expect(loaded(SOURCES).server).toBeUndefined();
  });

  it("is whoever holds a token, by its hash", () => {
    const text = `${SOURCES}server: {tokens: [{name: ada, token_sha256: "${SHA}", read_only: true}], hosts: [u.example]}`;
    expect(loaded(text).server).toEqual({
      listen: null,
      tokens: [{ name: "ada", tokenSha256: SHA.toLowerCase(), readOnly: true }],
      hosts: ["u.example"],
      origins: [],
      requestsPerMinute: 120,
    });
  });

  it.each([
    ["a token in place of its hash", 'tokens: [{name: ada, token_sha256: "s3cret"}]', /is no SHA-256/],
    ["a host with a port", 'hosts: ["u.example:80"]', /hosts/],
    ["an origin that is no origin", 'origins: ["u.example/path"]', /origins/],
    ["an address without a port", 'listen: "127.0.0.1"', /server.listen "127.0.0.1.*" is no address/],
    ["a port that is none", 'listen: "127.0.0.1:70000"', /server.listen "127.0.0.1.*" is no address/],
    ["no requests at all", "requests_per_minute: 0", /requests_per_minute/],
  ])("refuses %s", (_, written, problem) => {
    const found = problems(`${SOURCES}server: {${written}}`);
    expect(found).toEqual([expect.stringMatching(problem)]);
    expect(found[0]).toMatch(/u\.yaml:2/);
  });
});

describe("S3: nobody is listed under two names", () => {
  it.each([
    [
      "callers whose names look alike",
      `server: {tokens: [{name: ada, token_sha256: "${SHA}"}, {name: "аda", token_sha256: "${"b2".repeat(32)}"}]}`,
      /server\.tokens\[1\]\.name .* is given above already/,
    ],
    [
      "approvers whose names look alike",
      `approvers: [{name: ada lee, token_sha256: "${SHA}"}, {name: Ada-Lee, token_sha256: "${"b2".repeat(32)}"}]`,
      /approvers\[1\]\.name .* is given above already/,
    ],
    [
      "a caller who is called as holders of access tokens are",
      `server: {tokens: [{name: oauth ada, token_sha256: "${SHA}"}]}`,
      /server\.tokens\[0\]\.name is "oauth ada", as callers with access tokens/,
    ],
  ])("refuses %s", (_, written, problem) => {
    expect(problems(`${SOURCES}${written}`)).toEqual([expect.stringMatching(problem)]);
  });
});

const OTHER = "b2".repeat(32);
const OIDC = 'issuer: "https://idp.example", audience: unship, jwks_url: "https://idp.example/keys"';
const withOidc = (oidc: string, approver = "oidc: ada@idp") =>
  `${SOURCES}server: {listen: ":7332", oidc: {${oidc}}}\napprovers: [{name: ada, ${approver}}]`;

describe("the issuer whose tokens approvers show", () => {
  it("is read with safe defaults, and an approver may need no personal token", () => {
    const { server, approvers } = loaded(withOidc(OIDC));
    expect(server?.oidc).toEqual({
      issuer: "https://idp.example",
      audience: "unship",
      jwksUrl: "https://idp.example/keys",
      algorithms: ["RS256", "ES256"],
      claim: "sub",
    });
    expect(approvers).toMatchObject([{ name: "ada", tokenSha256: null, oidc: "ada@idp" }]);
  });

  it("is explained", () => {
    const said = explain(loaded(withOidc(OIDC))).join("\n");
    expect(said).toContain("for approvers with a personal token or one of the issuer as bearer");
    expect(said).toContain(
      "Tokens of https://idp.example count for the audience unship, signed by RS256 or ES256 with a key of https://idp.example/keys; their sub names the approver.",
    );
    expect(said).toContain(
      "ada, for every service, with a token of the issuer; CAUTION: a token of the issuer approves nothing until the file names ledger.signing_key",
    );
  });

  it.each([
    ["a shared secret as signature", withOidc(`${OIDC}, algorithms: [HS256]`), /algorithms\[0\] cannot be "HS256"/],
    ["no signature", withOidc(`${OIDC}, algorithms: [none]`), /algorithms\[0\] cannot be "none"/],
    [
      "keys that anybody between could replace",
      withOidc(OIDC.replace("https://idp.example/keys", "http://idp/k")),
      /jwks_url .*is not encrypted/,
    ],
    ["an issuer that lets nobody in", withOidc(OIDC, `token_sha256: "${SHA}"`), /server\.oidc lets nobody in/],
    [
      "an issuer and nowhere to show its tokens",
      withOidc(OIDC).replace('listen: ":7332", ', ""),
      /server\.oidc has no effect without server\.listen/,
    ],
    [
      "an approver of an issuer that is not configured",
      `${SOURCES}approvers: [{name: ada, oidc: x}]`,
      /approvers\[0\]\.oidc has no effect/,
    ],
    [
      "an approver with nothing to show",
      `${SOURCES}approvers: [{name: ada}]`,
      /approvers\[0\]\.name "ada" has nothing to show who they are/,
    ],
    [
      "one account for two approvers",
      withOidc(OIDC).replace("}]", "}, {name: ben, oidc: ada@idp}]"),
      /approvers\[1\]\.oidc is the same as that of approvers\[0\]/,
    ],
  ])("refuses %s", (_, text, problem) => {
    expect(problems(text)).toEqual([expect.stringMatching(problem)]);
  });
});

describe("tokens of callers", () => {
  it.each([
    [
      "one token for two callers",
      `server: {tokens: [{name: a, token_sha256: "${SHA}"}, {name: b, token_sha256: "${SHA.toLowerCase()}"}]}`,
      /server\.tokens\[1\]\.token_sha256 is the same as that of server\.tokens\[0\] \(each caller has a token of its own\)/,
    ],
    [
      "one name for two callers",
      `server: {tokens: [{name: Ada, token_sha256: "${SHA}"}, {name: ada, token_sha256: "${OTHER}"}]}`,
      /server\.tokens\[1\]\.name is "ada", which is given above already/,
    ],
    [
      "an approver's personal token: an assistant would approve what it proposed",
      `approvers: [{name: ada, token_sha256: "${SHA}"}]\nserver: {tokens: [{name: bot, token_sha256: "${SHA}"}]}`,
      /server\.tokens\[0\]\.token_sha256 is the personal token of approvers\[0\]/,
    ],
  ])("refuses %s", (_, written, problem) => {
    expect(problems(`${SOURCES}${written}`)).toEqual([expect.stringMatching(problem)]);
  });
});

describe("the explanation of what is served over HTTP", () => {
  const said = (written: string) => explain(loaded(`${SOURCES}${written}`)).join("\n");
  it.each([
    ["that nothing listens", "", "Approvals: none (no server.listen)"],
    ["that MCP serves this machine alone", "", "for this machine alone, without a token; other addresses are refused"],
    ["where approvers answer", 'server: {listen: ":7332"}', "Approvals: at 127.0.0.1:7332 while `unship watch` runs"],
    ["that nobody could answer", 'server: {listen: ":7332"}', "CAUTION: nobody can answer there"],
    ["that it speaks no TLS", 'server: {listen: "0.0.0.0:7332"}', "CAUTION: it can be reached from other machines"],
    [
      "who calls MCP, and what they may",
      `server: {tokens: [{name: ada, token_sha256: "${SHA}"}, {name: bot, token_sha256: "${OTHER}", read_only: true}]}`,
      "for ada and bot (reads only), each with a token of their own, which approves nothing",
    ],
    [
      "by which names and how often",
      'server: {hosts: [u.example], origins: ["https://c.example"], requests_per_minute: 9}',
      "Called by the names of this machine and u.example; web pages of https://c.example may call.\n  Each caller at most 9 times a minute.",
    ],
  ])("says %s", (_, written, sentence) => {
    expect(said(written)).toContain(sentence);
  });

  it("has no caution for an address of this machine", () => {
    const text = `approvers: [{name: ada, token_sha256: "${SHA}"}]\nserver: {listen: "[::1]:7332"}`;
    expect(said(text)).toContain("Approvals: at [::1]:7332");
    expect(said(text)).not.toMatch(/CAUTION: (nobody can answer there|it can be reached)/);
  });
});

describe("an authorization server for callers of MCP", () => {
  const OAUTH = 'issuer: "https://as.example", resource: "https://u.example/mcp", jwks_url: "https://as.example/keys"';

  it("is named with the resource that its tokens are for", () => {
    const config = loaded(`${SOURCES}server: {oauth: {${OAUTH}}}`);
    expect(config.server?.oauth).toEqual({
      issuer: "https://as.example",
      resource: "https://u.example/mcp",
      jwksUrl: "https://as.example/keys",
      algorithms: ["RS256", "ES256"],
    });
    expect(explain(config).join("\n")).toContain(
      "for access tokens of https://as.example that were issued for https://u.example/mcp; unship:read sees, unship:propose proposes besides, and neither approves anything.",
    );
  });

  it.each<[string, string, RegExp]>([
    [
      "keys over plain HTTP",
      `oauth: {${OAUTH.replace("https://as.example/keys", "http://as.example/keys")}}`,
      /is not encrypted/,
    ],
    ["a shared secret", `oauth: {${OAUTH}, algorithms: [HS256]}`, /algorithms/],
    ["no resource", 'oauth: {issuer: "https://as.example", jwks_url: "https://as.example/keys"}', /lacks resource/],
  ])("refuses %s", (_, written, problem) => {
    expect(problems(`${SOURCES}server: {${written}}`).join("\n")).toMatch(problem);
  });

  it("S3: issues no token that would also approve", () => {
    const both = `${OIDC.replace("audience: unship", 'audience: "https://u.example/mcp"')}`;
    const text = `${SOURCES}server: {listen: ":7332", oidc: {${both}}, oauth: {${OAUTH}}}\napprovers: [{name: ada, oidc: ada}]`;
    expect(problems(text).join("\n")).toMatch(/server\.oauth\.resource is also the audience of the approvers' tokens/);
  });
});

const SLACK = 'slack: {bot_token: "${file:/run/bot}", signing_secret: "${file:/run/sign}", team: T0001}';
const told = (notifications: string, server = ":7332", approver = "slack: U0001") =>
  `${SOURCES}notifications: {${notifications}}\nserver: {listen: "${server}"}\napprovers: [{name: ada, ${approver}}]\n`;

describe("who is told through Slack and PagerDuty, and answers there", () => {
  it("is read, and explained", () => {
    const config =
      loaded(`${told(`${SLACK}, pagerduty: {routing_keys: {oncall: "\${file:/run/pd}"}}`)}rollback_policies:
  auto: {action: notify_and_recommend, conditions: [{health_check_failures: 3}], notification: ["slack:#a", "pagerduty:oncall", "pagerduty:other"]}`);
    expect(config.notifications).toMatchObject({
      slack: { team: "T0001", apiUrl: "https://slack.com/api" },
      pagerduty: { routingKeys: { oncall: { from: "file", path: "/run/pd" } } },
    });
    const said = explain(config).join("\n");
    expect(said).toContain("Tells slack:#a and pagerduty:oncall.");
    expect(said).toContain("CAUTION: cannot tell pagerduty:other (no routing key for other)");
    expect(said).toContain(
      "ada, for every service, with a button in Slack; CAUTION: a button in Slack approves nothing until the file names ledger.signing_key",
    );
    expect(said).toContain("Presses of buttons in Slack: at /slack/interactions");
  });

  it.each([
    [
      "a member of Slack whose presses cannot be verified",
      told('slack: {bot_token: "${file:/b}"}'),
      /approvers\[0\]\.slack has no effect/,
    ],
    [
      "buttons that nobody may press",
      told(SLACK, ":7332", `token_sha256: "${SHA}"`),
      /signing_secret lets nobody answer/,
    ],
    [
      "buttons whose presses reach nothing",
      told(SLACK).replace(/server: .*\n/, ""),
      /signing_secret has no effect without server\.listen/,
    ],
    ["what is no member of Slack", told(SLACK, ":7332", 'slack: "@ada"'), /approvers\[0\]\.slack/],
    [
      "one member for two approvers",
      told(SLACK).replace("}]", "}, {name: ben, slack: U0001}]"),
      /approvers\[1\]\.slack is the same as that of approvers\[0\]/,
    ],
  ])("refuses %s", (_, text, problem) => {
    expect(problems(text)).toEqual([expect.stringMatching(problem)]);
  });
});
