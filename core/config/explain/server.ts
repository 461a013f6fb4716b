import { isLoopback } from "../address.ts";
import type { Config, OidcConfig } from "../config.ts";
import { listed, plural, type Section } from "./words.ts";

/** What is served over HTTP, and to whom. */
export function explainServer(config: Config): Section {
  return { heading: "Over HTTP", lines: [...approvalLines(config), ...mcpLines(config), ...callerLines(config)] };
}

function approvalLines({ server, approvers, notifications, gate }: Config): readonly string[] {
  const listen = server?.listen ?? null;
  if (listen === null) {
    return ["Approvals: none (no server.listen); approvers answer with `unship approve` and `unship reject`."];
  }
  const where = `${listen.host.includes(":") ? `[${listen.host}]` : listen.host}:${listen.port}`;
  return [
    `Approvals: at ${where} while \`unship ${gate === undefined ? "watch" : "gate"}\` runs, for approvers with a personal token${server?.oidc === undefined ? "" : " or one of the issuer"} as bearer.`,
    ...issuerLines(server?.oidc),
    ...slackLines(notifications),
    ...(approvers.length === 0 ? ["CAUTION: nobody can answer there: the file lists no approvers."] : []),
    ...(isLoopback(listen.host)
      ? []
      : ["CAUTION: it can be reached from other machines and speaks no TLS: put a proxy that does before it."]),
  ];
}

const issuerLines = (oidc: OidcConfig | undefined): readonly string[] =>
  oidc === undefined
    ? []
    : [
        `Tokens of ${oidc.issuer} count for the audience ${oidc.audience}, signed by ${listed(oidc.algorithms, "or")} with a key of ${oidc.jwksUrl}; their ${oidc.claim} names the approver.`,
      ];

function slackLines(notifications: Config["notifications"]): readonly string[] {
  const slack = notifications?.slack ?? null;
  if (slack === null || slack.signingSecret === null) return [];
  const whose = slack.team === null ? "any workspace that has the app" : `workspace ${slack.team}`;
  return [
    `Presses of buttons in Slack: at /slack/interactions, signed by Slack and at most five minutes old, from members of ${whose}.`,
  ];
}

function mcpLines({ server }: Config): readonly string[] {
  const tokens = server?.tokens ?? [];
  const oauth = server?.oauth;
  const issued =
    oauth === undefined
      ? []
      : [
          `MCP (\`unship mcp --http\`): for access tokens of ${oauth.issuer} that were issued for ${oauth.resource}; unship:read sees, unship:propose proposes besides, and neither approves anything.`,
        ];
  if (tokens.length === 0 && oauth !== undefined) return issued;
  if (tokens.length === 0) {
    return ["MCP (`unship mcp --http`): for this machine alone, without a token; other addresses are refused."];
  }
  const names = tokens.map(({ name, readOnly }) => (readOnly ? `${name} (reads only)` : name));
  return [
    `MCP (\`unship mcp --http\`): for ${listed(names)}, each with a token of their own, which approves nothing.`,
    ...issued,
  ];
}

function callerLines({ server }: Config): readonly string[] {
  if (server === undefined) return [];
  const { hosts, origins, requestsPerMinute } = server;
  return [
    `Called by ${listed(["the names of this machine", ...hosts])}; ${origins.length === 0 ? "no web page may call" : `web pages of ${listed(origins)} may call`}.`,
    `Each caller at most ${plural(requestsPerMinute, "time")} a minute.`,
  ];
}
