/** How a client starts the server, and which variables it has to pass. Paths are absolute. */
export interface Start {
  readonly command: string;
  readonly args: readonly string[];
  /** Names alone: no configuration that is printed holds a value (S10). */
  readonly variables: readonly string[];
}

/** A client's own configuration of one server: the text, where it belongs, and what else is to be known, a line each. */
export interface ClientConfig {
  readonly text: string;
  readonly goesTo: string;
  readonly notes: readonly string[];
}

const jsonOf = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** `env` only where there are variables. */
const environment = (variables: readonly string[], value: (name: string) => string) =>
  variables.length === 0 ? {} : { env: Object.fromEntries(variables.map((name) => [name, value(name)])) };

const FROM_ITS_OWN = "The client passes them from the environment in which it is started.";

/**
 * Claude Code expands `${NAME}` in command, args and env.
 * @see https://code.claude.com/docs/en/mcp (Project scope; Environment variable expansion in .mcp.json)
 */
function claudeCode({ command, args, variables }: Start): ClientConfig {
  const server = { type: "stdio", command, args, ...environment(variables, (name) => `\${${name}}`) };
  return {
    text: jsonOf({ mcpServers: { unship: server } }),
    goesTo: ".mcp.json in the project's folder",
    notes: variables.length === 0 ? [] : [FROM_ITS_OWN],
  };
}

/**
 * Claude Desktop expands nothing, and starts servers with a few variables of its own only.
 * @see https://modelcontextprotocol.io/docs/develop/connect-local-servers
 * @see https://modelcontextprotocol.io/docs/tools/debugging (Environment variables)
 */
function claudeDesktop({ command, args, variables }: Start): ClientConfig {
  const server = { command, args, ...environment(variables, (name) => `<${name}>`) };
  return {
    text: jsonOf({ mcpServers: { unship: server } }),
    goesTo: "claude_desktop_config.json (Settings, Developer, Edit Config)",
    notes:
      variables.length === 0
        ? []
        : ["Write the value of each in place of <NAME>: the client reads none from its environment."],
  };
}

/**
 * VS Code asks for inputs at the first start and keeps them in its secret storage.
 * @see https://code.visualstudio.com/docs/agents/reference/mcp-configuration (Standard I/O servers; Input variables)
 */
function vscode({ command, args, variables }: Start): ClientConfig {
  const idOf = (name: string) => `unship-${name}`;
  const inputs = variables.map((name) => ({
    type: "promptString",
    id: idOf(name),
    description: name,
    password: true,
  }));
  const env = environment(variables, (name) => `\${input:${idOf(name)}}`);
  return {
    text: jsonOf({
      ...(inputs.length === 0 ? {} : { inputs }),
      servers: { unship: { type: "stdio", command, args, ...env } },
    }),
    goesTo: ".vscode/mcp.json, or the user profile's mcp.json (MCP: Open User Configuration)",
    notes: variables.length === 0 ? [] : ["VS Code asks for each at the first start and keeps it."],
  };
}

/**
 * Cursor expands `${env:NAME}` in command, args and env.
 * @see https://cursor.com/docs/mcp (STDIO server configuration; Config interpolation)
 */
function cursor({ command, args, variables }: Start): ClientConfig {
  const server = { type: "stdio", command, args, ...environment(variables, (name) => `\${env:${name}}`) };
  return {
    text: jsonOf({ mcpServers: { unship: server } }),
    goesTo: ".cursor/mcp.json in the project's folder, or ~/.cursor/mcp.json",
    notes: variables.length === 0 ? [] : [FROM_ITS_OWN],
  };
}

/**
 * Codex forwards the variables that `env_vars` names. A TOML basic string is written as JSON writes one.
 * @see https://developers.openai.com/codex/mcp (STDIO servers)
 * @see https://toml.io/en/v1.0.0#string
 */
function codex({ command, args, variables }: Start): ClientConfig {
  const list = (all: readonly string[]) => `[${all.map((one) => JSON.stringify(one)).join(", ")}]`;
  const lines = [
    "[mcp_servers.unship]",
    `command = ${JSON.stringify(command)}`,
    `args = ${list(args)}`,
    ...(variables.length === 0 ? [] : [`env_vars = ${list(variables)}`]),
  ];
  return {
    text: `${lines.join("\n")}\n`,
    goesTo: "~/.codex/config.toml",
    notes: variables.length === 0 ? [] : [FROM_ITS_OWN],
  };
}

/**
 * OpenClaw expands `${NAME}` in every text of its file.
 * @see https://docs.openclaw.ai/cli/mcp (Saved MCP server definitions)
 * @see https://docs.openclaw.ai/help/environment (Env var substitution in config)
 */
function openclaw({ command, args, variables }: Start): ClientConfig {
  const server = { command, args, ...environment(variables, (name) => `\${${name}}`) };
  return {
    text: jsonOf({ mcp: { servers: { unship: server } } }),
    goesTo: "~/.openclaw/openclaw.json",
    notes: variables.length === 0 ? [] : ["OpenClaw passes them from its own environment, or from ~/.openclaw/.env."],
  };
}

/** By the name that is typed. */
export const CLIENTS: Readonly<Record<string, (start: Start) => ClientConfig>> = {
  "claude-code": claudeCode,
  "claude-desktop": claudeDesktop,
  vscode,
  cursor,
  codex,
  openclaw,
};
