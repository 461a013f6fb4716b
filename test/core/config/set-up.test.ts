// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { describe, expect, it } from "vitest";
import { changed, loaded, problems, UNSHIP } from "./fixtures.ts";

const SOURCES = 'data_sources: {metrics: {type: prometheus, endpoint: "http://p:9090"}}\n';

describe("a file with sources alone", () => {
  it("gets the safe default for everything else", () => {
    const { chain, ...config } = loaded(SOURCES);
    expect(config).toEqual({
      mode: "observe",
      modeIsDefault: true,
      dataSources: {
        metrics: { type: "prometheus", endpoint: "http://p:9090", token: null, queries: {} },
        deployments: [],
        logs: null,
        traces: null,
        featureFlags: null,
        migrations: [],
      },
      policies: [],
      canary: null,
      allowedActions: [],
      guardrails: {
        maxAutoRollbacksPerDay: 5,
        cooldownMs: 600_000,
        cooldownScope: "service",
        escalateToHumanAfter: 2,
        neverAutoRollback: [],
      },
      blastRadius: { services: 3, trafficShare: null, replicas: null },
      evidenceKinds: 1,
      freezeWindows: [],
      feedback: {
        verifyRecovered: true,
        timeoutMs: 600_000,
        gitOpsWaitMs: 240_000,
        driftWatchMs: 3_600_000,
        ifNotRecovered: {
          action: "escalate_to_human",
          message: "The action did not bring the service back. Please investigate.",
        },
        logOutcome: {
          store: "incidents",
          include: ["deployment_details", "anomaly_metrics", "rollback_duration", "recovery_confirmed"],
        },
        postmortemDraft: true,
      },
      services: {},
      serviceLabel: "service",
      versionLabel: "version",
      topology: null,
      approvers: [],
      approval: { twoPersons: [], remindAfterMs: 300_000, escalate: [], tokenFile: "other_user" },
      graduation: { approveAfterProposals: 3, autoAfterRecovered: 5 },
      ledger: { type: "sqlite", path: ".unship/ledger.db", signingKey: null },
      knowledge: { path: ".unship/knowledge" },
      watch: { stepMs: 15_000 },
      model: null,
    });
    expect(
      chain.map(({ step, windowMs, choices, confidenceThreshold, requireHumanApprovalIf }) => [
        step,
        windowMs,
        choices?.length ?? null,
        confidenceThreshold,
        requireHumanApprovalIf?.text ?? null,
      ]),
    ).toEqual([
      ["identify_recent_deployments", 1_800_000, null, null, null],
      ["correlate_timing", null, null, 0.8, null],
      ["check_affected_services", null, null, null, null],
      ["check_dependency_graph", null, null, null, null],
      ["evaluate_business_impact", null, null, null, null],
      ["recommend_action", null, 4, null, "business_impact > high OR affected_services > 3"],
    ]);
  });

  it("that says a mode is not on the default, even if it says the same", () => {
    expect(loaded(`${SOURCES}mode: observe\n`)).toMatchObject({ mode: "observe", modeIsDefault: false });
    expect(loaded(`${SOURCES}mode: auto\n`)).toMatchObject({ mode: "auto", modeIsDefault: false });
  });

  it("keeps its other defaults when it sets one of a section", () => {
    const { guardrails } = loaded(`${SOURCES}execution: {guardrails: {cooldown_scope: global}}\n`);
    expect(guardrails).toMatchObject({ cooldownScope: "global", cooldownMs: 600_000, maxAutoRollbacksPerDay: 5 });
  });
});

describe("an allowed action", () => {
  it("needs a person unless the file says otherwise", () => {
    const text = `${SOURCES}execution: {allowed_actions: [{type: kubectl_rollout_undo}]}\n`;
    expect(loaded(text).allowedActions).toEqual([
      {
        type: "kubectl_rollout_undo",
        namespaces: null,
        applications: null,
        environments: null,
        requireApproval: true,
        maxRollbacksPerHour: null,
      },
    ]);
  });
});

describe("what a real set-up adds", () => {
  it("is read from the example, field by field", () => {
    const { services, topology, approvers, ledger, knowledge, watch, dataSources, policies } = loaded(UNSHIP);
    expect(services.checkout).toEqual({
      namespace: "production",
      workload: { kind: "Deployment", name: "checkout" },
      argocdApplication: null,
      flags: [],
      criticality: "critical",
      revenuePerMinute: 900,
      routes: [{ route: "POST /orders", revenuePerMinute: 850 }],
      mode: null,
    });
    expect(topology).toEqual({
      edges: [
        ["checkout", "billing"],
        ["checkout", "payment-provider"],
        ["recommendations", "checkout"],
      ],
      external: ["payment-provider"],
    });
    const tokenKey: unknown = expect.stringMatching(/^ed25519:[\w-]{43}$/);
    const anyone = { tokenSha256: null, tokenKey, actions: null, upTo: "critical" };
    expect(approvers).toEqual([
      { ...anyone, name: "ada", services: null },
      { ...anyone, name: "grace", services: null },
      { ...anyone, name: "linus", services: ["recommendations"] },
    ]);
    expect([ledger.type === "sqlite" && ledger.path, knowledge.path, watch.stepMs]).toEqual([
      "/var/lib/unship/ledger.db",
      "/var/lib/unship/knowledge",
      15_000,
    ]);
    expect(dataSources.deployments).toEqual([
      { type: "kubernetes", kubeconfig: null, context: null, namespaces: ["production"] },
    ]);
    expect(dataSources.logs).toEqual({ type: "jsonl", paths: ["/var/log/services/*.jsonl"] });
    expect(dataSources.traces).toEqual({ type: "zipkin", endpoint: "http://zipkin.monitoring.svc:9411" });
    expect(dataSources.metrics.queries.checkout_orders).toEqual({
      query: "sum(rate(orders_completed_total[5m]))",
      unit: "req/s",
      worse: "down",
    });
    expect(policies[0]?.conditions[3]).toEqual({
      kind: "regression",
      metric: "error_rate",
      confidence: 0.999,
      text: "error_rate worse than its past, confidence 0.999",
    });
  });

  it.each([
    ["mode", "auto", { mode: "auto" }],
    ["service_label", "app", { serviceLabel: "app" }],
    ["version_label", "release", { versionLabel: "release" }],
    ["watch.step", "1s", { watch: { stepMs: 1000 } }],
    ["services.billing.mode", "auto", { services: { billing: { mode: "auto" } } }],
    ["services.billing.argocd_application", "bills", { services: { billing: { argocdApplication: "bills" } } }],
    ["services.billing.flags", ["f"], { services: { billing: { flags: ["f"] } } }],
    ["execution.guardrails.cooldown_scope", "global", { guardrails: { cooldownScope: "global" } }],
    ["data_sources.deployments.kubeconfig", "/k", { dataSources: { deployments: [{ kubeconfig: "/k" }] } }],
    ["data_sources.deployments.context", "c", { dataSources: { deployments: [{ context: "c" }] } }],
    [
      "model",
      { provider: "openai", model: "m" },
      { model: { provider: "openai", model: "m", baseUrl: null, apiKey: null, mayHold: false } },
    ],
    [
      "model",
      { provider: "anthropic", model: "m", base_url: "http://m", may_hold: true },
      {
        model: {
          baseUrl: "http://m",
          mayHold: true,
          prices: null,
          budget: { tokens: 60_000, stepTimeMs: 30_000, cost: null },
        },
      },
    ],
    [
      "model",
      { provider: "openai", model: "m", budget: { tokens: 9000, turns: 4, time: "1m", step_time: "5s" } },
      { model: { budget: { tokens: 9000, turns: 4, timeMs: 60_000, stepTimeMs: 5_000 } } },
    ],
    [
      "model",
      { provider: "openai", model: "m", prices: { input: 3, output: 15 } },
      { model: { prices: { input: 3, cachedInput: 3, output: 15 } } },
    ],
  ] as const)("%s: %j has its effect", (path, value, effect) => {
    expect(loaded(changed(UNSHIP, [path, value]))).toMatchObject(effect);
  });

  it("may be scraped without a Prometheus", () => {
    const metrics = {
      type: "scrape",
      discovery: "http://d/targets",
      targets: [{ url: "http://a/metrics", labels: { service: "a" } }],
      spool: "/var/spool/unship",
    };
    expect(
      loaded(changed(UNSHIP, ["data_sources.metrics", metrics], ["rollback_policies.human_review", undefined]))
        .dataSources.metrics,
    ).toEqual({
      type: "scrape",
      targets: [{ url: "http://a/metrics", labels: { service: "a" } }],
      discovery: "http://d/targets",
      intervalMs: 5000,
      windowMs: 21_600_000,
      spool: "/var/spool/unship",
      queries: {},
    });
  });

  it("may name more than one source of deployments", () => {
    const deployments = [{ type: "kubernetes" }, { type: "argocd_webhook", endpoint: "http://a", token: "${file:/t}" }];
    expect(loaded(changed(UNSHIP, ["data_sources.deployments", deployments])).dataSources.deployments).toEqual([
      { type: "kubernetes", kubeconfig: null, context: null, namespaces: ["*"] },
      { type: "argocd_webhook", endpoint: "http://a", token: { from: "file", path: "/t" }, repositories: [] },
    ]);
  });

  it("may take its flags from Unleash", () => {
    const flags = { type: "unleash", endpoint: "http://u", token: "${T}" };
    expect(loaded(changed(UNSHIP, ["data_sources.feature_flags", flags]), { T: "t" }).dataSources.featureFlags).toEqual(
      {
        type: "unleash",
        endpoint: "http://u",
        token: { from: "env", name: "T" },
        project: "default",
        actor: null,
        environment: "production",
      },
    );
  });

  it("may name the commands of its migrations, each as a program with its arguments", () => {
    const migrations = { name: "orders-db", service: "orders", status: ["alembic", "current"], timeout: "10m" };
    const text = changed(UNSHIP, ["data_sources.migrations", [{ ...migrations, environment: ["DATABASE_URL"] }]]);
    expect(loaded(text).dataSources.migrations).toEqual([
      {
        name: "orders-db",
        service: "orders",
        status: ["alembic", "current"],
        rollback: null,
        directory: null,
        environment: ["DATABASE_URL"],
        timeoutMs: 600_000,
        everyMs: 60_000,
      },
    ]);
  });

  it("refuses a placeholder in a command that stands for nothing", () => {
    const migrations = [{ name: "orders-db", service: "orders", rollback: ["down", "{version}"] }];
    const text = changed(UNSHIP, ["data_sources.migrations", migrations]);
    expect(problems(text).join("\n")).toMatch(
      /migrations\[0\]\.rollback\[1\].*holds \{version\}.*only \{restore\} and \{expected\}/,
    );
  });

  it("may say a thing once: an alias means the last anchor of its name before it", () => {
    const text = `${SOURCES}services:\n  a: &x {criticality: high}\n  b: *x\n  c: &x {criticality: low}\n  d: *x\n`;
    const levels = Object.values(loaded(text).services).map(({ criticality }) => criticality);
    expect(levels).toEqual(["high", "high", "low", "low"]);
  });

  it("may scrape metrics of its own", () => {
    const metrics = {
      type: "scrape",
      discovery: "http://d",
      queries: { orders: { query: 'sum(rate(orders_total{kind="paid"}[5m]))', worse: "down" } },
    };
    expect(loaded(`data_sources: ${JSON.stringify({ metrics })}\n`).dataSources.metrics.queries).toEqual({
      orders: { query: 'sum(rate(orders_total{kind="paid"}[5m]))', unit: null, worse: "down" },
    });
  });

  it("may have texts from variables, a literal ${ and PromQL's ${1} beside them", () => {
    const query = 'label_replace(up{job="${JOB}"}, "a", "${1}$${x}", "b", "(.*)")';
    const config = loaded(changed(UNSHIP, ["data_sources.metrics.queries.checkout_orders.query", query]), {
      JOB: "shop",
    });
    expect(config.dataSources.metrics.queries.checkout_orders?.query).toBe(
      'label_replace(up{job="shop"}, "a", "${1}${x}", "b", "(.*)")',
    );
  });
});
