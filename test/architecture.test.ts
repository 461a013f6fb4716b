import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const sources = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(ROOT, file)));

/** Core folders in the order in which data flows; a folder may import those before it, and itself. */
const CORE_ORDER = [
  "config",
  "detection",
  "canary",
  "correlation",
  "impact",
  "decision",
  "planning",
  "guardrails",
  "risk",
  "noise",
  "assessment",
];

const MCP_SDK = "@modelcontextprotocol/sdk";
const PROMQL = "@prometheus-io/lezer-promql";

/**
 * npm packages that each part may import; `true`: any. Rows are tried in order; the first that matches counts. A
 * vendor's client has a row of its own, so that a package is reached through one place and can be replaced there.
 */
const NPM: readonly (readonly [RegExp, readonly string[] | true])[] = [
  [/^core\/model\/secrets\/maintained\.ts$/, ["@secretlint/secretlint-rule-preset-recommend", "@secretlint/types"]],
  [/^core\/config\/freeze-window\.ts$/, ["croner"]],
  [/^core\/config\//, ["zod", "yaml"]],
  [/^core\//, ["zod"]],
  [/^mcp-tools\/connectors\/http\.ts$/, ["undici", "zod"]],
  [/^mcp-tools\/connectors\/kubernetes\//, ["zod", "yaml"]],
  [/^mcp-tools\/connectors\/(prometheus|scrape)\//, ["zod", PROMQL]],
  [/^mcp-tools\/connectors\/elasticsearch\//, ["zod", "@elastic/elasticsearch"]],
  [/^mcp-tools\/connectors\/slack\//, ["zod", "@slack/web-api"]],
  [/^mcp-tools\/(server|stdio|http)\.ts$/, [MCP_SDK, "zod"]],
  [/^mcp-tools\/gate\/oidc\.ts$/, ["jose"]],
  [/^mcp-tools\//, ["zod"]],
  [/^agent\/main\.ts$/, []],
  [/^agent\/cli\//, ["commander", "zod"]],
  [/^agent\/chain\/mcp-client\.ts$/, [MCP_SDK]],
  [/^agent\/models\/anthropic\.ts$/, ["@anthropic-ai/sdk", "zod"]],
  [/^agent\/models\/openai\.ts$/, ["openai", "zod"]],
  [/^agent\/(watch|console)\//, ["zod", "hono", "pino", "prom-client", "@opentelemetry/api"]],
  [/^agent\//, ["zod"]],
  [/^knowledge\/ledger\//, ["kysely", "zod", "pg"]],
  [/^knowledge\/lance-table\.ts$/, ["@lancedb/lancedb", "apache-arrow"]],
  [/^knowledge\/chart\.ts$/, ["echarts"]],
  [/^knowledge\//, ["zod"]],
  [/^(evals|test|scripts)\/|^vitest\./, true],
];

/** A package that is read when it is first needed, since most commands never need it; what it does is as pure as its importer. */
const LATE: Readonly<Record<string, string>> = { "core/model/secrets/maintained.ts": "node:module" };

/** What would make the core depend on when, where or by chance it runs. */
const IMPURE =
  /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|\bMath\.random\b|\bfetch\s*\(|\bprocess\b\s*[.[]|\bperformance\s*\.|\bcrypto\s*\.|\bset(?:Timeout|Interval|Immediate)\s*\(|\bglobalThis\b|\bnavigator\s*\./;

/** Where a peer's bytes come in, each behind a count of its own: `Http`, the models' `fetch`, servers, the gate's channel. */
const READERS: ReadonlySet<string> = new Set([
  "mcp-tools/connectors/http.ts",
  "agent/models/bounded-fetch.ts",
  "mcp-tools/http.ts",
  "mcp-tools/http-listen.ts",
  "mcp-tools/listener/listener.ts",
  "mcp-tools/channel/client.ts",
  "mcp-tools/channel/outbox.ts",
  "mcp-tools/channel/server.ts",
]);
const NETWORK =
  /\bfetch\s*\(|\b(?:from|import|require)\s*\(?\s*["'](?:node:)?(?:https?|http2|net|tls|dgram)["']|\bWebSocket\b|\bEventSource\b/;
const WHOLE_BODY = /\.(?:json|arrayBuffer|blob|formData)\(\)|stream\/consumers/;
/** What parses text that no peer sent for the first time here: it was counted where it came in, or is our own. */
const PARSERS: ReadonlySet<string> = new Set([
  "core/model/json-meter.ts",
  "core/model/peer-message.ts", // 16 KiB at most, `REFUSAL_BYTES`
  "mcp-tools/oauth.ts", // a header that was verified
  "mcp-tools/channel/client.ts",
  "mcp-tools/connectors/http.ts",
  "mcp-tools/connectors/argocd/capacity.ts", // within an answer that was counted
  "mcp-tools/connectors/argocd/mark.ts",
  "mcp-tools/connectors/kubernetes/mark.ts",
  "mcp-tools/connectors/kubernetes/undo-judge.ts",
  "mcp-tools/connectors/prometheus/answer-stream.ts", // one series at a time
  "mcp-tools/connectors/scrape/spool.ts", // our own file
]);
const PARSES = /\bJSON\.parse\s*\(/;

/** Why a file may take more of a peer than was counted, or undefined. Files of our own are no peers: knowledge, compose. */
function bypassOf(file: string, code: string): string | undefined {
  if (!READERS.has(file) && NETWORK.test(code)) return "speaks to the network by itself";
  if (WHOLE_BODY.test(code)) return "reads a body as a whole";
  const isOfPeers = /^(core|mcp-tools|agent\/models)\//.test(file);
  return isOfPeers && !PARSERS.has(file) && PARSES.test(code) ? "parses text that was not counted" : undefined;
}

interface Import {
  readonly file: string;
  readonly target: string;
}

/** The text of a file without its comments. */
const codeOf = (file: string): string => readFileSync(join(ROOT, file), "utf8").replaceAll(/^\s*(\/?\*|\/\/).*$/gm, "");

/** Files that make an executor: what can write to production. */
const EXECUTOR_MAKERS: ReadonlySet<string> = new Set(
  sources.filter((file) => /^mcp-tools\/connectors\//.test(file) && /\bExecutor\b/.test(codeOf(file))),
);

function importsOf(file: string): readonly Import[] {
  const text = codeOf(file);
  const pattern =
    /(?:^|[;\s])(?:import|export)\s(?:[^"'`;]*?\sfrom\s)?\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/g;
  return [...text.matchAll(pattern)].map((match) => {
    const name = match[1] ?? match[2] ?? "";
    return { file, target: name.startsWith(".") ? normalize(join(dirname(file), name)) : name };
  });
}

const isLocal = (target: string) => /^(core|mcp-tools|agent|knowledge|evals|test|scripts)\//.test(target);

/** Why an import is against the layout, or undefined. */
function complaint({ file, target }: Import): string | undefined {
  const part = file.split("/")[0] ?? "";
  if (!isLocal(target)) {
    if (part === "core" && target.startsWith("node:") && LATE[file] !== target)
      return "core has no network, clock, randomness, file or environment";
    if (target.startsWith("node:")) return undefined;
    const packageName = target.startsWith("@") ? target.split("/").slice(0, 2).join("/") : (target.split("/")[0] ?? "");
    const allowed = NPM.find(([from]) => from.test(file))?.[1] ?? [];
    return allowed === true || allowed.includes(packageName)
      ? undefined
      : `${part} may not import the package ${packageName}`;
  }
  if (part === "evals" || part === "test" || part === "scripts" || file === "agent/main.ts") return undefined;
  if (EXECUTOR_MAKERS.has(target) && !mayMakeExecutors(file, target))
    return "only the composition root makes executors";
  if (/^agent\/compose\//.test(file))
    return /^evals\//.test(target) ? "the composition of evals is main.ts's" : undefined;
  if (/^(evals|test|scripts)\//.test(target))
    return "nothing outside evals, test and agent/main.ts imports evals or test";
  if (part === "core") return coreComplaint(file, target);
  if (part === "knowledge") return /^(core|knowledge)\//.test(target) ? undefined : "knowledge imports core alone";
  if (part === "agent") {
    const own = /^(core|agent)\//.test(target) && target !== "agent/main.ts" && !/^agent\/compose\//.test(target);
    return own ? undefined : "all but core is passed in to agent";
  }
  if (/^mcp-tools\/connectors\//.test(file)) return connectorComplaint(file, target);
  if (/^mcp-tools\/gate\//.test(file))
    return /^(core|mcp-tools\/gate)\//.test(target) ? undefined : "the gate imports core alone";
  if (part === "mcp-tools") {
    if (/^mcp-tools\/(gate|connectors)\//.test(target)) return "tools get gate and connectors through their context";
    return /^(core|mcp-tools)\//.test(target) ? undefined : "tools import core alone";
  }
  return undefined;
}

/** The composition root, and the vendor's own folder that an executor is a part of. */
const mayMakeExecutors = (file: string, target: string): boolean =>
  /^agent\/compose\//.test(file) || dirname(file) === dirname(target);

function coreComplaint(file: string, target: string): string | undefined {
  if (!target.startsWith("core/")) return "core imports core alone";
  if (/^core\/(model\/|errors\.ts$|ports\.ts$)/.test(target)) return undefined;
  if (/^core\/(model\/|errors\.ts$|ports\.ts$)/.test(file)) return "model, errors and ports import each other alone";
  const [from, to] = [file, target].map((path) => CORE_ORDER.indexOf(path.split("/")[1] ?? ""));
  if (from === undefined || to === undefined || from < 0 || to < 0) return "this core folder is not in the order";
  return to <= from ? undefined : "core data flows one way: this folder stands later";
}

function connectorComplaint(file: string, target: string): string | undefined {
  if (/^core\/(model\/|errors\.ts$|ports\.ts$)/.test(target)) return undefined;
  if (/^mcp-tools\/connectors\/[^/]+\.ts$/.test(target)) return undefined;
  const vendor = /^mcp-tools\/connectors\/([^/]+)\//.exec(file)?.[1];
  if (vendor !== undefined && target.startsWith(`mcp-tools/connectors/${vendor}/`)) return undefined;
  return "a connector imports model, ports, errors, connectors/http.ts and its own folder";
}

describe("architecture", () => {
  it.each(sources.filter((file) => !file.startsWith("test/fixtures/")))(
    "%s imports only what lies upstream",
    (file) => {
      const complaints = importsOf(file).flatMap((one) => {
        const why = complaint(one);
        return why === undefined ? [] : [`${one.target}: ${why}`];
      });
      expect(complaints).toEqual([]);
    },
  );

  it.each([
    ["core/decision/decide.ts", "node:fs"],
    ["core/detection/x.ts", "core/decision/decide.ts"],
    ["core/model/x.ts", "core/config/config.ts"],
    ["core/impact/x.ts", "undici"],
    ["agent/watch/watch.ts", "undici"],
    ["agent/chain/runner.ts", "@modelcontextprotocol/sdk/client/index.js"],
    ["agent/models/deterministic.ts", "openai"],
    ["mcp-tools/tools/x.ts", "kysely"],
    ["mcp-tools/connectors/zipkin/x.ts", "undici"],
    ["knowledge/record.ts", "@lancedb/lancedb"],
    ["newfolder/x.ts", "left-pad"],
    ["mcp-tools/server.ts", "mcp-tools/connectors/kubernetes/undo.ts"],
    ["mcp-tools/connectors/unleash/flags.ts", "mcp-tools/connectors/kubernetes/undo.ts"],
    ["agent/watch/watch.ts", "mcp-tools/gate/gate.ts"],
    ["agent/cli/demo.ts", "evals/demo/demo.ts"],
    ["agent/cli/demo.ts", "agent/compose/live-system.ts"],
    ["agent/compose/live-system.ts", "evals/demo/demo.ts"],
    ["mcp-tools/tools/x.ts", "mcp-tools/gate/gate.ts"],
    ["mcp-tools/connectors/prometheus/x.ts", "mcp-tools/connectors/kubernetes/y.ts"],
    ["mcp-tools/gate/gate.ts", "knowledge/ledger/sqlite.ts"],
    ["knowledge/x.ts", "agent/main.ts"],
  ])("refuses %s importing %s", (file, target) => {
    expect(complaint({ file, target })).toBeDefined();
  });

  it.each(sources.filter((file) => /^(core|mcp-tools|agent|knowledge|evals)\//.test(file)))(
    "%s has no computed import",
    (file) => {
      expect(readFileSync(join(ROOT, file), "utf8")).not.toMatch(/\bimport\(\s*[^"'\s)]/);
    },
  );

  it.each(sources.filter((file) => /^(core|mcp-tools|agent|knowledge)\//.test(file) && file !== "agent/main.ts"))(
    "%s does not read the environment",
    (file) => {
      expect(readFileSync(join(ROOT, file), "utf8")).not.toMatch(/\bprocess\.env\b/);
    },
  );

  it.each(sources.filter((file) => file.startsWith("core/")))(
    "%s has no clock, chance, network or process of its own",
    (file) => {
      expect(IMPURE.exec(codeOf(file))?.[0]).toBeUndefined();
    },
  );

  it.each([
    "const at = Date.now();",
    "new Date()",
    "const one = Math.random();",
    "await fetch(url)",
    "process.env.HOME",
    'process["env"]',
    "performance.now()",
    "setTimeout(later, 5)",
    "crypto.randomUUID()",
  ])("would notice %s in the core", (code) => {
    expect(code).toMatch(IMPURE);
  });

  it.each(sources.filter((file) => /^(core|mcp-tools|agent|knowledge)\//.test(file)))(
    "%s reads peers through what counts first",
    (file) => {
      expect(bypassOf(file, codeOf(file))).toBeUndefined();
    },
  );

  it.each([
    ["mcp-tools/connectors/loki/loki.ts", "await fetch(url)"],
    ["mcp-tools/connectors/loki/loki.ts", 'import { request } from "node:https";'],
    ["mcp-tools/connectors/loki/loki.ts", 'import { connect } from "node:net";'],
    ["mcp-tools/connectors/loki/loki.ts", "new WebSocket(url)"],
    ["mcp-tools/connectors/loki/loki.ts", "const body = JSON.parse(text);"],
    ["agent/models/gemini.ts", "await answer.json()"],
    ["mcp-tools/listener/webhook.ts", "JSON.parse(body)"],
    ["knowledge/embeddings.ts", "await globalThis.fetch(url)"],
  ])("would notice %s with %s", (file, code) => {
    expect(bypassOf(file, code)).toBeDefined();
  });

  it("knows which files make executors", () => {
    expect([...EXECUTOR_MAKERS]).toEqual(
      expect.arrayContaining([
        "mcp-tools/connectors/kubernetes/undo.ts",
        "mcp-tools/connectors/unleash/disable.ts",
        "mcp-tools/connectors/unleash/unleash.ts",
      ]),
    );
  });

  it.each(sources)("%s is at most 400 lines, or says why at its top", (file) => {
    const lines = readFileSync(join(ROOT, file), "utf8").split("\n");
    const excused = lines.slice(0, 12).some((line) => /\blong because\b/i.test(line));
    expect(lines.length <= 400 || excused).toBe(true);
  });

  it("no path in the source leaves the project", () => {
    const leaves = (file: string) => {
      const up = "../".repeat(file.split("/").length);
      return readFileSync(join(ROOT, file), "utf8").includes(`"${up}`);
    };
    expect(sources.filter(leaves)).toEqual([]);
  });
});
