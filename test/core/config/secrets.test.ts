// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { describe, expect, it } from "vitest";
import { explain } from "../../../core/config/explain.ts";
import { configJsonSchema, type JsonSchema } from "../../../core/config/json-schema.ts";
import { formatProblem, loadConfig } from "../../../core/config/load.ts";
import { secretsIn } from "../../../core/config/secrets.ts";
import { isSecret } from "../../../core/config/variables.ts";
import { changed, loaded, problems, UNSHIP } from "./fixtures.ts";

const SECRET = "hunter2-is-no-good-password";

/** Every way for a secret to stand in a file, by the path at which it stands and what is around it. */
const PLACES: readonly (readonly [path: string, around: Readonly<Record<string, unknown>>])[] = [
  ["data_sources.metrics.token", {}],
  ["data_sources.deployments.token", { type: "argocd_webhook", endpoint: "http://a" }],
  ["data_sources.logs.api_key", { type: "elasticsearch", endpoint: "http://e", index_pattern: "x" }],
  ["data_sources.feature_flags.api_key", { type: "launchdarkly" }],
  ["data_sources.feature_flags.token", { type: "unleash", endpoint: "http://u" }],
  ["data_sources.feature_flags.token", { type: "flagsmith", project: 1, environment_key: "k" }],
  [
    "data_sources.deployments.write.token",
    { type: "argocd_webhook", endpoint: "http://a", token: "${file:/run/read}" },
  ],
  ["data_sources.feature_flags.write.api_key", { type: "launchdarkly", api_key: "${file:/run/read}" }],
  ["data_sources.feature_flags.write.token", { type: "unleash", endpoint: "http://u", token: "${file:/run/read}" }],
  ["gate.token", { socket: "/run/unship/gate.sock" }],
  ["model.api_key", { provider: "openai", model: "m" }],
  ["ledger.url", { signing_key: "/etc/unship/head-key.pem" }],
  ["notifications.slack.bot_token", { team: "T1" }],
  ["notifications.slack.signing_secret", { bot_token: "${file:/run/bot}" }],
  ["notifications.pagerduty.routing_keys.oncall", {}],
];

const withSecret = (path: string, around: Readonly<Record<string, unknown>>, value: unknown): string => {
  const parent = path.slice(0, path.lastIndexOf(".")).replace(/\.write$/, "");
  const base = Object.keys(around).length === 0 ? UNSHIP : changed(UNSHIP, [parent, around]);
  // Buttons need somebody who may press them, and somewhere to arrive.
  const pressed: Parameters<typeof changed>[1][] = path.endsWith("signing_secret")
    ? [
        ["server.listen", ":7332"],
        ["approvers.0.slack", "U0001"],
      ]
    : [];
  return changed(base, ...pressed, [path, value]);
};

describe.each(PLACES)("the secret at %s", (path, around) => {
  it("stays a reference to its variable", () => {
    const config = loaded(withSecret(path, around, "${KEY}"), { KEY: SECRET });
    expect(JSON.stringify(config)).toContain('{"from":"env","name":"KEY"}');
    expect(JSON.stringify(config)).not.toContain(SECRET);
  });

  it("may come from a file, which is not opened here", () => {
    const config = loaded(withSecret(path, around, "${file:/run/secrets/key}"), {});
    expect(JSON.stringify(config)).toContain('{"from":"file","path":"/run/secrets/key"}');
  });

  it("is listed by its key, for the command that needs it", () => {
    const key = path.replace("deployments", "deployments[0]");
    const listed = secretsIn(loaded(withSecret(path, around, "${KEY}"), { KEY: SECRET }));
    expect(listed.filter(({ secret }) => secret.from === "env")).toEqual([
      { key, secret: { from: "env", name: "KEY" } },
    ]);
  });

  it("stands in no explanation, even in plain text", () => {
    const lines = explain(loaded(withSecret(path, around, SECRET), {})).join("\n");
    expect(lines).not.toContain(SECRET);
    if (path.startsWith("data_sources")) expect(lines).toContain("CAUTION: its secret is in the file in plain text");
  });

  it("stands in no problem, whatever is wrong with it or beside it", () => {
    for (const value of [`x ${SECRET} \${`, [SECRET], { a: SECRET }, 12345678]) {
      const lines = problems(withSecret(path, around, value), { KEY: SECRET });
      expect(lines.length).toBeGreaterThan(0);
      expect(lines.join("\n")).not.toMatch(new RegExp(`${SECRET}|12345678`));
    }
  });

  it.each([
    ["as it is", SECRET],
    ["as a variable's default", `\${KEY:-${SECRET}}`],
    ["in place of a variable's name", `\${${SECRET}}`],
    ["behind a scheme and a variable", `Bearer \${KEY}${SECRET}`],
    ["with a dollar in front", "$hunter2isnogoodpassword"],
    ["between per cent signs", "%hunter2isnogoodpassword%"],
    ["in typographic quotes", `“${SECRET}”`],
    ["as a path in no folder of secrets", `/${SECRET}`],
    ["in a list", [[SECRET]]],
    ["as the text of a comment", null],
  ])("stands in no problem and no warning, written %s", (_, value) => {
    const text = withSecret(path, around, value).replace(/\bnull$/m, `#${SECRET}`);
    const result = loadConfig(text, "u.yaml", { KEY: "of-the-variable" });
    const said = (result.ok ? (result.config.vain ?? []) : result.problems).map(formatProblem).join("\n");
    expect(said).toContain(path.replace("data_sources.", ""));
    expect(said).not.toMatch(/hunter2/);
  });

  // Names of routing keys are a person's own: none is misspelt.
  it.skipIf(path.includes("routing_keys"))("stands in no problem where its key is misspelt too", () => {
    for (const value of [`“${SECRET}”`, "$hunter2isnogoodpassword", `Bearer \${KEY}${SECRET}`, [SECRET]]) {
      const lines = problems(withSecret(`${path}s`, around, value), { KEY: "of-the-variable" }).join("\n");
      expect(lines).toContain(`there is no key "${path.split(".").at(-1)}s"`);
      expect(lines).not.toMatch(/hunter2/);
    }
  });

  it("is a problem when its variable is not set, and not when nothing will use it", () => {
    const text = withSecret(path, around, "${NOT_SET}");
    expect(problems(text, {})).toEqual([expect.stringMatching(/needs the variable NOT_SET, which is not set/)]);
    expect(loadConfig(text, "u.yaml", {}, { secrets: "unused" }).ok).toBe(true);
  });

  it("is a problem when its variable is empty", () => {
    expect(problems(withSecret(path, around, "${KEY}"), { KEY: "" })).toEqual([
      expect.stringMatching(/KEY, which is empty/),
    ]);
  });
});

describe("a variable's value", () => {
  it.each([
    ["in a URL that it makes wrong", "data_sources.metrics.endpoint", "${KEY}"],
    ["in a URL as a password", "data_sources.metrics.endpoint", "http://u:${KEY}@p"],
    ["in a metric's name", "rollback_policies.auto_rollback.conditions.0.metric", "${KEY}"],
    ["in a mode", "mode", "${KEY}"],
    ["in a duration", "watch.step", "${KEY}"],
    ["in an expression", "reasoning_chain.on_anomaly_detected.5.require_human_approval_if", "${KEY} > 1"],
    ["in a step's action", "reasoning_chain.on_anomaly_detected.5.action", "select from [${KEY}]"],
    ["in a notification", "rollback_policies.auto_rollback.notification.0", "${KEY}:x"],
    ["in an approver's name that stands twice", "approvers.0.name", "${KEY}"],
    ["in a protected name", "execution.guardrails.never_auto_rollback.0", "${KEY}"],
  ])("%s reaches no problem", (_, path, value) => {
    const text = changed(UNSHIP, [path, value], ["approvers.1.name", "${KEY}"], ["excution", 1]);
    const result = loadConfig(text, "u.yaml", { KEY: SECRET });
    expect(result.ok ? "" : result.problems.map(formatProblem).join("\n")).toMatch(/excution/);
    expect(result.ok ? "" : result.problems.map(formatProblem).join("\n")).not.toContain(SECRET);
  });

  it.each([
    ["without a scheme", `me:${SECRET}@p:9090`],
    ["with a wrong scheme", `htp://me:${SECRET}@p:9090`],
    ["with a shell's variable beside it", `http://me:${SECRET}@$PROMETHEUS_HOST`],
    ["in typographic quotes", `“http://me:${SECRET}@p:9090”`],
    ["in a list", [`http://me:${SECRET}@p:9090`]],
    ["in a map", { url: `http://me:${SECRET}@p:9090` }],
  ])("that is a password in a URL %s reaches no problem", (_, value) => {
    const lines = problems(changed(UNSHIP, ["data_sources.metrics.endpoint", value]));
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join("\n")).not.toContain(SECRET);
  });

  it("that is a password written into a URL reaches no problem", () => {
    const lines = problems(changed(UNSHIP, ["data_sources.metrics.endpoint", `http://me:${SECRET}@p:9090`]));
    expect(lines).toEqual([
      expect.stringMatching(
        /endpoint carries a user or password \(write "http:\/\/p:9090", and put the secret into token or api_key\)$/,
      ),
    ]);
  });
});

describe("secret fields", () => {
  it("are exactly those that the schema calls so", () => {
    const found: string[] = [];
    const walk = (schema: JsonSchema, path: readonly (string | number)[]): void => {
      for (const option of [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])]) walk(option, path);
      for (const [name, property] of Object.entries(schema.properties ?? {})) {
        const own = [...path, name];
        const says = property.description?.includes("${VARIABLE}") ?? false;
        expect([own.join("."), isSecret(own)]).toEqual([own.join("."), says]);
        if (says) found.push(own.join("."));
        walk(property, own);
      }
      if (typeof schema.additionalProperties === "object") {
        const own = [...path, "oncall"];
        const says = schema.additionalProperties.description?.includes("${VARIABLE}") ?? false;
        expect([own.join("."), isSecret(own)]).toEqual([own.join("."), says]);
        if (says) found.push(own.join("."));
        walk(schema.additionalProperties, own);
      }
      if (schema.items !== undefined && !Array.isArray(schema.items)) walk(schema.items as JsonSchema, [...path, 0]);
    };
    walk(configJsonSchema(), []);
    expect([...new Set(found)].sort()).toEqual(
      [
        ...new Set(PLACES.map(([path]) => path)),
        "data_sources.deployments.0.token",
        "data_sources.deployments.0.write.token",
      ].sort(),
    );
  });
});
