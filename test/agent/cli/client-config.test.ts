import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CLIENTS, type Start } from "../../../agent/cli/client-config.ts";
import { variablesNamed } from "../../../core/config/variables-named.ts";
import { openDesk, ROOT, unship } from "./run-cli.ts";

const start: Start = {
  command: "/opt/node/bin/node",
  args: ["/opt/unship/bin/unship.cjs", "mcp", "--config", "/etc/unship/unship.yaml"],
  variables: ["PROMETHEUS_URL", "ARGOCD_TOKEN"],
};
const none: Start = { ...start, variables: [] };

describe("what is printed for a client's own configuration", () => {
  it.each(Object.keys(CLIENTS))("is as %s's documentation has it", (client) => {
    expect(CLIENTS[client]?.(start)).toMatchSnapshot();
    expect(CLIENTS[client]?.(none).text).toMatchSnapshot();
  });

  it.each(Object.keys(CLIENTS))("can be read again, whatever the paths are made of: %s", (client) => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.string({ unit: "binary-ascii" })), (command, args) => {
        const { text } = CLIENTS[client]?.({ command, args, variables: [] }) ?? { text: "" };
        if (client === "codex") {
          const [, written = "", list = ""] = /^command = (.*)\nargs = (.*)\n$/m.exec(text) ?? [];
          expect([JSON.parse(written), JSON.parse(list)]).toEqual([command, args]);
        } else {
          const { mcpServers, servers, mcp } = JSON.parse(text);
          expect((mcpServers ?? servers ?? mcp.servers).unship).toMatchObject({ command, args });
        }
      }),
    );
  });
});

describe("the variables of a file", () => {
  it("are those that it needs, each once, and none that only looks like one", () => {
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: this is how the file spells them
    const text = [
      "data_sources:",
      '  metrics: { type: prometheus, endpoint: "${PROMETHEUS_URL}", token: "${PROMETHEUS_TOKEN}", queries: { a: "x${1}$${LITERAL}" } }',
      '  logs: { api_key: "${file:/run/secret}" }',
      "  migrations:",
      "    - { environment: [PGHOST], write: { environment: [PGPASSWORD] } }",
      "# ${COMMENT}",
      'notifications: { slack: { bot_token: "${SLACK_TOKEN}" } }',
      'again: "${PROMETHEUS_URL}"',
    ].join("\n");
    expect(variablesNamed(text)).toEqual([
      ...["PROMETHEUS_URL", "PROMETHEUS_TOKEN", "PGHOST", "PGPASSWORD", "SLACK_TOKEN"],
    ]);
    // With a gate of its own, what is the gate's alone is not passed to what an assistant starts.
    expect(variablesNamed(`${text}\ngate: { token: "\${GATE_TOKEN}" }`)).toEqual([
      ...["PROMETHEUS_URL", "PROMETHEUS_TOKEN", "PGHOST", "GATE_TOKEN"],
    ]);
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: this is how the file spells them
  });
});

describe("unship mcp --print-config", () => {
  it.each(Object.keys(CLIENTS))(
    "prints for %s absolute paths that start the server, and no value of a variable",
    async (client) => {
      using desk = openDesk();
      const named = variablesNamed(readFileSync(desk.config, "utf8"));
      expect(named.length).toBeGreaterThan(0);
      const variables = Object.fromEntries(named.map((name) => [name, `value-of-${name}`]));
      const { code, out, err } = await desk.run(["mcp", "--print-config", client, "--read-only"], { variables });
      expect(code, err).toBe(0);
      expect(`${out}${err}`).not.toContain("value-of-");
      for (const name of named) expect(`${out}${err}`).toContain(name);
      const { command, args } = serverIn(client, out);
      expect([command, args]).toEqual([
        process.execPath,
        [join(ROOT, "agent/main.ts"), "mcp", "--config", desk.config, "--read-only"],
      ]);
      const started = new Client({ name: "started", version: "0" });
      const transport = new StdioClientTransport({ command, args, env: variables, stderr: "ignore", cwd: "/" });
      await started.connect(transport);
      const { tools } = await started.listTools();
      expect(tools.map(({ name }) => name)).toContain("get_situation");
      await started.close();
    },
    60_000,
  );

  it("needs no variable to be set, and refuses a client that it does not know and an address", async () => {
    using desk = openDesk();
    expect((await desk.run(["mcp", "--print-config", "codex"])).code).toBe(0);
    const unknown = await desk.run(["mcp", "--print-config", "emacs"]);
    expect(unknown).toMatchObject({ code: 2, out: "" });
    expect(unknown.err).toContain("claude-code, claude-desktop, vscode, cursor, codex, openclaw");
    const http = await desk.run(["mcp", "--print-config", "codex", "--http", ":7331"]);
    expect(http).toMatchObject({ code: 2, out: "" });
  }, 60_000);

  it("takes a path as it was typed, and makes it absolute", async () => {
    using desk = openDesk();
    writeFileSync(join(desk.folder, "other.yaml"), readFileSync(desk.config));
    const { out } = await unship(["mcp", "-c", "./other.yaml", "--print-config", "codex"], { cwd: desk.folder });
    expect(out).toContain(JSON.stringify(join(desk.folder, "other.yaml")));
  }, 60_000);
});

function serverIn(client: string, text: string): { readonly command: string; readonly args: string[] } {
  if (client !== "codex") {
    const { mcpServers, servers, mcp } = JSON.parse(text);
    return (mcpServers ?? servers ?? mcp.servers).unship;
  }
  const [, command = "", args = ""] = /^command = (.*)\nargs = (.*)\n/m.exec(text) ?? [];
  return { command: JSON.parse(command), args: JSON.parse(args) };
}
