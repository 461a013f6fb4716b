import { describe, expect, it } from "vitest";
import { explain } from "../../../core/config/explain.ts";
import { formatProblem, loadConfig } from "../../../core/config/load.ts";
import { secretsIn } from "../../../core/config/secrets.ts";

const SOURCES = "data_sources:\n  metrics: { type: prometheus, endpoint: http://prometheus.example }\n";
const load = (ledger: string, variables = {}) => loadConfig(`${SOURCES}ledger: ${ledger}\n`, "u.yaml", variables);
const problems = (ledger: string) => {
  const loaded = load(ledger);
  return loaded.ok ? [] : loaded.problems.map(formatProblem);
};

describe("the ledger in the file", () => {
  it.each([
    ["{}", { type: "sqlite", path: ".unship/ledger.db", signingKey: null }],
    ["{ path: /x/l.db, signing_key: /k.pem }", { type: "sqlite", path: "/x/l.db", signingKey: "/k.pem" }],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how the file spells it
    ['{ url: "${DB}" }', { type: "postgres", url: { from: "env", name: "DB" }, signingKey: null }],
  ])("%s", (text, ledger) => {
    expect(load(text, { DB: "postgres://u:very-secret@h/d" })).toMatchObject({ ok: true, config: { ledger } });
  });

  it("is one place", () => {
    expect(problems('{ path: x.db, url: "postgres://h/d" }')).toEqual([
      "u.yaml:3:28: ledger.url cannot be given together with ledger.path (one ledger is one place: remove one of the two)",
    ]);
  });

  it("S10: its URL is a secret: named by where it comes from, and never resolved or quoted", () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how the file spells it
    const loaded = load('{ url: "${DB}" }', { DB: "postgres://u:very-secret@h/d" });
    if (!loaded.ok) throw new Error("the file has problems");
    expect(secretsIn(loaded.config).map(({ key }) => key)).toContain("ledger.url");
    expect(explain(loaded.config).join("\n")).toContain("PostgreSQL (secret from the variable DB).");
    expect(JSON.stringify([loaded.config, explain(loaded.config)])).not.toContain("very-secret");
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is how the file spells it
    expect(problems('{ url: "${DB}" }')).toEqual([expect.stringContaining("ledger.url needs the variable DB")]);
  });
});
