// biome-ignore-all lint/suspicious/noTemplateCurlyInString: secrets are spelled so in the file
import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";
import { configJsonSchema, type JsonSchema } from "../../../core/config/json-schema.ts";
import { withAbsolutePaths } from "../../../core/config/paths.ts";
import { loaded, problems, SOURCES } from "./fixtures.ts";

const FOLDER = "/etc/unship";
const absolute = (path: string) => (path.startsWith("/") ? path : `${FOLDER}/${path}`);

/** Every place of the file that the schema marks as a path, with what its description says. */
function pathsOf(schema: JsonSchema, at: string): readonly { readonly at: string; readonly about: string }[] {
  const here = schema["x-path"] === true ? [{ at, about: schema.description ?? "" }] : [];
  const items = Array.isArray(schema.items) ? schema.items : schema.items === undefined ? [] : [schema.items];
  return [
    ...here,
    ...Object.entries(schema.properties ?? {}).flatMap(([key, one]) => pathsOf(one, at === "" ? key : `${at}.${key}`)),
    ...items.flatMap((one: JsonSchema) => pathsOf(one, `${at}[]`)),
    ...[...(schema.oneOf ?? []), ...(schema.anyOf ?? [])].flatMap((one) => pathsOf(one, at)),
  ];
}

/** Files that name each path of the schema, relative, and every kind of secret from a relative file. */
const FILES = {
  kubernetes: `
data_sources:
  metrics: { type: scrape, targets: [{ url: "http://a:1/metrics" }], spool: rel/spool }
  deployments:
    - type: kubernetes
      kubeconfig: rel/read
      write: { kubeconfig: rel/write }
    - type: argocd_webhook
      endpoint: "https://argo"
      token: "\${file:rel/token}"
      repositories: [{ url: "https://git", path: rel/clone }]
      write: { token: "\${file:rel/write-token}" }
  logs: { type: jsonl, paths: ["rel/a.jsonl", "rel/b/*.jsonl"] }
  feature_flags: { type: unleash, endpoint: "https://flags", token: "\${file:rel/flags}", write: { token: "\${file:rel/w}" } }
  migrations: [{ name: shop, service: orders, status: ["./at"], directory: rel/schema }]
ledger: { path: rel/ledger.db, signing_key: rel/key.pem }
knowledge: { path: rel/knowledge }
gate: { socket: rel/gate.sock, token: "\${file:rel/channel}" }
model: { provider: anthropic, model: m, api_key: "\${file:rel/model}" }
notifications:
  slack: { bot_token: "\${file:rel/bot}", signing_secret: "\${file:rel/signing}" }
  pagerduty: { routing_keys: { oncall: "\${file:rel/pager}" } }
services: { orders: {} }
server: { listen: "127.0.0.1:7332" }
approvers: [{ name: ada, slack: U0001 }]
`,
  prometheus: `
data_sources:
  metrics: { type: prometheus, endpoint: "http://p:9090", token: "\${file:rel/p}" }
  logs: { type: elasticsearch, endpoint: "https://e", index_pattern: "x-*", api_key: "\${file:rel/e}" }
  feature_flags: { type: launchdarkly, api_key: "\${file:rel/ld}", project: p, environment: e }
ledger: { url: "\${file:rel/url}" }
`,
};

describe("S2: what a path means does not depend on where a command runs", () => {
  it.each(Object.entries(FILES))("%s: every path and every secret's file counts from the file's folder", (_, text) => {
    const written = text.match(/rel\//g)?.length ?? 0;
    const config = JSON.stringify(withAbsolutePaths(loaded(text, {}), absolute));
    expect(config.match(/(?<!\/etc\/unship\/)\brel\//g) ?? []).toEqual([]);
    expect(config.match(/\/etc\/unship\/rel\//g)).toHaveLength(written);
  });

  it("every path that the schema knows is named in one of these files, so that a new one cannot be forgotten", () => {
    const named = Object.values(FILES).flatMap((text) => {
      const found: string[] = [];
      const walk = (value: unknown, at: string): void => {
        if (typeof value === "string" && value.startsWith("rel/")) found.push(at);
        else if (Array.isArray(value)) for (const one of value) walk(one, `${at}[]`);
        else if (typeof value === "object" && value !== null) {
          for (const [key, one] of Object.entries(value)) walk(one, at === "" ? key : `${at}.${key}`);
        }
      };
      walk(parseDocument(text).toJS(), "");
      return found;
    });
    const list = (path: string) => path.replaceAll("deployments[]", "deployments");
    const known = new Set(pathsOf(configJsonSchema(), "").map(({ at }) => list(at)));
    expect(known.size).toBeGreaterThan(8);
    expect([...known].filter((path) => !named.map(list).includes(path))).toEqual([]);
  });

  it("whatever is described as a file, a folder, a path or a clone is marked as a path", () => {
    const marked = new Set(pathsOf(configJsonSchema(), "").map(({ about }) => about));
    const spoken: string[] = [];
    const walk = (schema: JsonSchema): void => {
      const { description = "", type } = schema;
      const text = type === "string" || type === undefined;
      if (text && /^(?:Path of|File of|The SQLite file|Folder that|The folder|A local clone)/.test(description)) {
        spoken.push(description);
      }
      for (const one of Object.values(schema.properties ?? {})) walk(one);
      for (const one of [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])]) walk(one);
      if (schema.items !== undefined && !Array.isArray(schema.items)) walk(schema.items as JsonSchema);
    };
    walk(configJsonSchema());
    expect(spoken.length).toBeGreaterThan(6);
    expect(spoken.filter((one) => !marked.has(one))).toEqual([]);
  });

  it("the ledger, the memory and the commands of migrations lie beside a file that names no place", () => {
    const text = 'data_sources:\n  metrics: { type: prometheus, endpoint: "http://p" }\n';
    const migrations = "  migrations: [{ name: shop, service: orders, status: [at] }]\n";
    const config = withAbsolutePaths(loaded(`${text}${migrations}`), absolute);
    expect(config.ledger).toMatchObject({ path: "/etc/unship/.unship/ledger.db" });
    expect(config.knowledge.path).toBe("/etc/unship/.unship/knowledge");
    expect(config.dataSources.migrations[0]?.directory).toBe("/etc/unship/.");
  });

  it.each([
    ["a home folder", "~/ledger.db", /ledger\.path .* begins with ~/],
    ["a URL", "file:///var/lib/ledger.db", /ledger\.path .* is a URL/],
    ["SQLite's URI", "file:x?mode=memory", /ledger\.path .* is a URL/],
  ])("%s is no path", (_, path, says) => {
    expect(problems(`${SOURCES}ledger: { path: "${path}" }\n`)).toEqual([expect.stringMatching(says)]);
  });
});

describe("S2, S14: a ledger that is not kept, or not the same for everybody, is no ledger", () => {
  it.each([
    ["in memory", ":memory:", /^u\.yaml:2:\d+: ledger\.path is :memory:, which keeps nothing.*only a replay/],
    ["in memory, with a space", ":memory: ", /is :memory:/],
    [
      "a folder of the shell",
      "${HOME}/ledger.db",
      /^u\.yaml:2:\d+: ledger\.path depends on a variable.*write the path out/,
    ],
    ["a folder of the service manager", "${STATE_DIRECTORY}/l.db", /depends on a variable/],
  ])("%s is refused with its line", (_, path, says) => {
    const variables = { HOME: "/root", STATE_DIRECTORY: "/var/lib/unship" };
    expect(problems(`${SOURCES}ledger: { path: "${path}" }\n`, variables)).toEqual([expect.stringMatching(says)]);
  });
});
