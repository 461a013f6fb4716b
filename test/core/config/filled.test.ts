// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Config } from "../../../core/config/config.ts";
import { explain } from "../../../core/config/explain.ts";
import { argumentAsWritten, asWritten } from "../../../core/config/filled.ts";
import { formatProblem, loadConfig } from "../../../core/config/load.ts";
import { withAbsolutePaths } from "../../../core/config/paths.ts";
import { isSecret } from "../../../core/config/variables.ts";
import { changed, loaded, problems, UNSHIP } from "./fixtures.ts";

const PLANTED = "Zk81xv71QmPlw";

/** Files that name everything that the schema knows between them. */
const FILES: readonly string[] = [
  UNSHIP,
  changed(
    UNSHIP,
    ["rollback_policies.human_review.conditions.1", undefined],
    [
      "data_sources.metrics",
      { type: "scrape", targets: [{ url: "http://a:1/metrics", labels: { service: "a" } }], spool: "/s" },
    ],
    [
      "data_sources.deployments",
      { type: "argocd_webhook", endpoint: "http://a", repositories: [{ url: "http://g/r", path: "/r" }] },
    ],
    ["data_sources.logs", { type: "elasticsearch", endpoint: "http://e", index_pattern: "x" }],
    [
      "data_sources.feature_flags",
      { type: "unleash", endpoint: "http://u", token: "${file:/run/t}", project: "p", environment: "production" },
    ],
    [
      "data_sources.migrations",
      [
        {
          name: "db",
          service: "orders",
          status: ["at", "-p", "x"],
          rollback: ["down", "x"],
          directory: "/d",
          environment: ["DB"],
        },
      ],
    ],
    ["model", { provider: "openai", model: "m", base_url: "http://m/v1" }],
    [
      "notifications",
      { slack: { bot_token: "${file:/run/b}", team: "T1" }, pagerduty: { routing_keys: { oncall: "${file:/run/k}" } } },
    ],
    ["server", { listen: "127.0.0.1:7332", hosts: ["h.example"], origins: ["https://o.example"] }],
    ["gate", { socket: "/run/unship/gate.sock", token: "${file:/run/g}" }],
    ["execution.guardrails.never_auto_rollback", ["billing", "stripe"]],
    ["services.checkout.argocd_application", "checkout"],
    ["services.checkout.flags", ["new-checkout"]],
    ["ledger.signing_key", "/etc/unship/head-key.pem"],
    ["approval.two_persons.0.services", ["checkout"]],
  ),
  changed(
    UNSHIP,
    ["data_sources.feature_flags", { type: "flagsmith", project: 1, environment_key: "k", token: "${file:/run/t}" }],
    ["data_sources.deployments", { type: "kubernetes", kubeconfig: "/k", context: "c", namespaces: ["n"] }],
    ["reasoning_chain.on_anomaly_detected.6", { step: "look_at_weather", action: "look", prompt: "Is it raining?" }],
    ["model", { provider: "openai", model: "m" }],
  ),
];

interface Text {
  readonly path: string;
  readonly text: string;
}

/** Every text of a file that is not a secret, by its path. */
function textsOf(value: unknown, path: readonly (string | number)[] = []): readonly Text[] {
  if (typeof value === "string") return isSecret(path) ? [] : [{ path: path.join("."), text: value }];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) =>
    textsOf(one, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

/** What the file says of itself with a variable at one of its texts: its problems, or what it will do. */
function said(
  file: string,
  path: string,
  written: string,
  value: string,
): { readonly taken: boolean; readonly lines: string } {
  const result = loadConfig(changed(file, [path, written]), "u.yaml", { PLANTED: value, LD_API_KEY: "x" });
  if (!result.ok) return { taken: false, lines: result.problems.map(formatProblem).join("\n") };
  const absolute: Config = withAbsolutePaths(result.config, (one) => `/etc/${one}`);
  return { taken: true, lines: explain(absolute).join("\n") };
}

it("the files are right", () => {
  for (const file of FILES) expect(problems(file)).toEqual([]);
});

describe("S10: what a variable was is shown nowhere: its name is", () => {
  it.each(FILES.map((file, index) => [index, file] as const))("in no text of file %i", (index, file) => {
    let taken = 0;
    const before = new Set(
      FILES.slice(0, index).flatMap((one) => textsOf(parse(one)).map(({ path, text }) => `${path} ${text}`)),
    );
    for (const { path, text } of textsOf(parse(file)).filter((one) => !before.has(`${one.path} ${one.text}`))) {
      for (const [written, value] of [
        ["${PLANTED}", `${text}${PLANTED}`],
        [`${text.replaceAll("$", "$$")}/\${PLANTED}`, PLANTED],
      ] as const) {
        const { taken: isTaken, lines } = said(file, path, written, value);
        if (isTaken) taken += 1;
        expect(lines, `${path}: ${written}`).not.toContain(PLANTED);
      }
    }
    expect(taken).toBeGreaterThan(10);
  });

  it("a command is shown as the file writes it, whatever the length of a value", () => {
    const migrations = [
      { name: "db", service: "checkout", status: ["at", "u:${PW}@h"], rollback: ["down", "-p", "${PW}"] },
    ];
    const lines = explain(loaded(changed(UNSHIP, ["data_sources.migrations", migrations]), { PW: "at1" })).join("\n");
    expect(lines).toContain('by ["at","u:${PW}@h"]');
    expect(lines).toContain('by ["down","-p","${PW}"]');
  });

  it("words that only certain ones may be, and durations, stay readable", () => {
    const text = changed(
      UNSHIP,
      ["mode", "${MODE}"],
      ["watch.step", "${STEP}"],
      ["data_sources.deployments.namespaces", ["${ALL}"]],
    );
    const config = loaded(text, { MODE: "approve", STEP: "30s", ALL: "*" });
    expect(config.filled).toBeUndefined();
    expect(explain(config)[0]).toMatch(/^Mode: approve\./);
  });

  it("a file without variables is explained as it was", () => {
    expect(loaded(UNSHIP).filled).toBeUndefined();
  });
});

describe("names in the place of values", () => {
  it.each([
    ["once for each time that it stands there", "a-secret1 secret1", [["A", "secret1"]], "a-${A} ${A}"],
    [
      "the longest first",
      "secret1-more secret1",
      [
        ["LONG", "secret1-more"],
        ["A", "secret1"],
      ],
      "${LONG} ${A}",
    ],
    ["never inside a name that was put in", "secret1", [["secret1", "secret1"]], "${secret1}"],
    ["not a short one inside a word", "auto automatic", [["A", "auto"]], "${A} automatic"],
    ["not what anybody guesses, in a sentence", "at most 5 in an hour", [["A", "5"]], "at most 5 in an hour"],
    ["within JSON too", JSON.stringify(['a"b\\c']), [["A", 'a"b\\c']], '["${A}"]'],
    ["signs of patterns are signs", "a+b(c)*d a+b", [["A", "a+b(c)*d"]], "${A} a+b"],
  ] as const)("%s", (_, text, values, shown) => {
    expect(
      asWritten(
        text,
        values.map(([name, value]) => ({ name, value })),
      ),
    ).toBe(shown);
  });

  it("in an argument whatever its length", () => {
    expect(argumentAsWritten("-p5x", [{ name: "A", value: "5x" }])).toBe("-p${A}");
    expect(argumentAsWritten("-j=5", [{ name: "A", value: "5" }])).toBe("-j=${A}");
    expect(asWritten("none", undefined)).toBe("none");
  });
});
