import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fakePrometheus } from "../../fakes/fake-prometheus.ts";
import { openDesk, ROOT, unship } from "./run-cli.ts";

const SEED = join(ROOT, "examples/openclaw-agent-config.yaml");

/** A file of metrics (where nothing answers, unless said), with these lines after them: more sources, then other parts. */
const configWith = (lines: readonly string[] = [], endpoint = "http://127.0.0.1:9"): string =>
  [
    "data_sources:",
    `  metrics: { type: prometheus, endpoint: '${endpoint}' }`,
    ...lines,
    "rollback_policies:",
    "  auto_rollback:",
    "    conditions: [{ metric: error_rate, threshold: 0.05, duration: 3m, comparison: greater_than }]",
    "    action: rollback_immediate",
    "reasoning_chain: { on_anomaly_detected: [{ step: recommend_action, action: 'select from [rollback, no_action]' }] }",
    "execution: { allowed_actions: [], guardrails: {} }",
  ].join("\n");

describe("unship check", () => {
  it("S10: shows the names of variables, not their values, also of a source that it asks, and in JSON", async () => {
    const folder = mkdtempSync(join(tmpdir(), "unship-check-"));
    const file = join(folder, "u.yaml");
    const variables = { DBPW: "Zk81xv71QmPlw" };
    const put = `\${DBPW}`;
    const schema = `  migrations: [{ name: '${put}', service: a, status: [no-such-program, 'u:${put}@h'] }]`;
    writeFileSync(file, configWith([schema], `http://127.0.0.1:9/${put}`));
    const words = await unship(["check", "-c", file], { variables });
    const json = await unship(["check", "--json", "-c", file], { variables });
    rmSync(folder, { recursive: true });
    expect(`${words.out}${words.err}${json.out}${json.err}`).not.toContain("Zk81");
    expect(words.out).toContain(`["no-such-program","u:${put}@h"]`);
    expect(words.out).toContain(`DOWN migrations of ${put}`);
    expect(json.out).toContain(`prometheus http://127.0.0.1:9/${put}`);
  });

  it("--offline explains the seed's file, and says in its first line that it changes nothing", async () => {
    const { code, out, err } = await unship(["check", "--offline", "-c", SEED], { variables: { LD_API_KEY: "k" } });
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out.split("\n")[0]).toMatch(/observe.*changes nothing/);
    expect(out).toContain("error_rate is above 0.05 (5 %), for 3m");
    expect(out).not.toContain("Sources:");
  });

  it("S3: an action that nobody can approve fails, exit code 1, and says who could answer and what lacks", async () => {
    using desk = openDesk();
    const lines = [
      "services: { checkout: { criticality: critical }, cart: { criticality: low } }",
      "approvers: [{ name: ada, slack: U0001 }, { name: grace, slack: U0002, services: [cart] }]",
      "approval: { two_persons: [{ criticality: critical }] }",
      "notifications: { slack: { bot_token: b, signing_secret: s } }",
      "server: { listen: '127.0.0.1:7332' }",
    ];
    const allowed = configWith().replace("allowed_actions: []", "allowed_actions: [{ type: kubectl_rollout_undo }]");
    writeFileSync(desk.config, [allowed, ...lines].join("\n"));
    const { code, out, err } = await desk.run(["check", "--offline"]);
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(out.replaceAll(/\s+/g, " ")).toContain(
      "FAIL kubectl_rollout_undo of checkout, any service that the file does not describe (it counts as critical): NOBODY CAN. " +
        "Two different people are needed, and only ada may answer.",
    );
    expect(out).toContain("ok   kubectl_rollout_undo of cart: one of ada, grace.");
    const { out: json } = await desk.run(["check", "--offline", "--json"]);
    expect(JSON.parse(json)).toMatchObject({
      ok: false,
      approvals: [
        { services: ["checkout"], undescribed_services: true, who: ["ada"], needed: 2, possible: false },
        { services: ["cart"], undescribed_services: false, who: ["ada", "grace"], needed: 1, possible: true },
      ],
    });
  });

  it("a variable that is not set is named with its key and line, exit code 2", async () => {
    const { code, out, err } = await unship(["check", "--offline", "-c", SEED]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/openclaw-agent-config\.yaml:18:14: data_sources\.feature_flags\.api_key .*LD_API_KEY/);
    expect(err).toContain("nothing was started. Problems: 1.");
  });

  it("every problem stands on a line of its own with file, line, column and what to do, all at once", async () => {
    using desk = openDesk();
    writeFileSync(
      desk.config,
      [
        "mode: autto",
        "data_sources:",
        "  metrics: { type: prometheus, endpont: http://127.0.0.1:9 }",
        "rollback_policies:",
        "  auto_rollback:",
        "    conditions:",
        "      - { metric: error_rate, threshold: 0.05, duration: soon }",
        "    action: rollback_immediate",
      ].join("\n"),
    );
    const { code, out, err } = await desk.run(["check", "--offline"]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    const lines = err.trimEnd().split("\n");
    const problems = lines.filter((line) => line.startsWith(`${desk.config}:`));
    expect(problems.map((line) => Number(line.slice(desk.config.length + 1).split(":")[0]))).toEqual(
      expect.arrayContaining([1, 3, 7]),
    );
    expect(lines.at(-1)).toBe(`unship: ${desk.config}: nothing was started. Problems: ${problems.length}.`);
    expect(err).toContain("auto");
  });

  it("a source that does not answer is said to be down, exit code 3", async () => {
    using desk = openDesk();
    writeFileSync(desk.config, configWith());
    const { code, out } = await desk.run(["check"]);
    expect(code).toBe(3);
    expect(out).toMatch(/Sources:\n {2}DOWN .*prometheus/);
    const asJson = await desk.run(["check", "--json"]);
    expect(asJson.code).toBe(3);
    expect(JSON.parse(asJson.out)).toMatchObject({ ok: false, sources: [{ ok: false }] });
  });

  it.each([
    ["no file", {}, "no file is there yet: until one is, what the logs would say is unknown"],
    ["an empty file", { "web.jsonl": "" }, "1 file, readable, no line yet"],
    [
      "two files with a line",
      { "web.jsonl": "", "api.jsonl": '{"at":"2026-01-05T14:00:00Z","service":"api","level":"info","message":"up"}\n' },
      "2 files, readable",
    ],
  ])("says of a pattern of logs with %s just that", async (_, files, said) => {
    using desk = openDesk();
    const folder = mkdtempSync(join(tmpdir(), "unship-check-logs-"));
    try {
      for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
      writeFileSync(desk.config, configWith([`  logs: { type: jsonl, paths: ["${folder}/*.jsonl"] }`]));
      const { out } = await desk.run(["check"]);
      expect(out.split("\n").find((line) => line.includes("logs "))).toMatch(new RegExp(`${said}$`));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("says what the call graph is made of, and what it costs where it is not known", async () => {
    using desk = openDesk();
    await using mesh = await fakePrometheus([
      {
        labels: { __name__: "traces_service_graph_request_total", client: "web", server: "cart" },
        perSecond: 3,
      },
    ]);
    writeFileSync(
      desk.config,
      configWith(
        ["services: { web: {}, cart: {}, db: {}, mail: {} }", "topology: { edges: [[cart, db]] }"],
        mesh.url.href,
      ),
    );
    const { out } = await desk.run(["check"]);
    expect(out).toContain("Call graph:\n  2 edges: 1 configured, 1 from mesh metrics; traffic is measured over 1.");
    expect(out).toContain("1 of 4 services has no known callees (mail): for those a deploy's timing alone never");
    const { callGraph } = JSON.parse((await desk.run(["check", "--json"])).out);
    expect(callGraph).toEqual({
      edges: { configured: 1, mesh: 1, spans: 0, template: 0 },
      measured: 1,
      services: 4,
      withoutEdges: ["mail"],
      calleesUnknown: ["mail"],
    });
  });
});
