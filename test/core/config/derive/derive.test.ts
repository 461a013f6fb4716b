import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Draft, draftText } from "../../../../core/config/derive/draft.ts";
import type { LabelSpread, MetricFamily, SeenWorkload } from "../../../../core/config/derive/evidence.ts";
import { latencyNames, requestNames } from "../../../../core/config/derive/metric-names.ts";
import { errorsOf, rankLatencies, rankRequests } from "../../../../core/config/derive/request-metrics.ts";
import { rankServiceLabels } from "../../../../core/config/derive/service-labels.ts";
import { matchServices, namespacesOf } from "../../../../core/config/derive/services.ts";
import { errorThreshold, latencyThreshold } from "../../../../core/config/derive/thresholds.ts";
import { rankVersionLabels } from "../../../../core/config/derive/version-labels.ts";
import { loadConfig } from "../../../../core/config/load.ts";

const spread = (
  label: string,
  values: readonly string[],
  { without = 0, onePerProcess = true as boolean | null } = {},
): LabelSpread => ({ label, values: values.map((value) => ({ value, series: 10 })), without, onePerProcess });

const family = (
  name: string,
  spreads: readonly LabelSpread[],
  { targets = 4, labels = [] as readonly string[] } = {},
): MetricFamily => ({
  name,
  series: 40,
  targets,
  labels: [...labels, ...spreads.map(({ label }) => label)],
  spreads,
});

const workload = (name: string, more: Partial<SeenWorkload> = {}): SeenWorkload => ({
  kind: "Deployment",
  namespace: "shop",
  name,
  service: name,
  version: "1.4.0",
  ...more,
});

const SHOP = ["cart", "payments", "catalog"].map((name) => workload(name));

describe("the label that names the service", () => {
  it.each<readonly [string, readonly LabelSpread[], readonly SeenWorkload[] | null, string | undefined]>([
    [
      "is the one whose values are names of workloads, whatever it is called",
      [spread("service", ["team-a", "team-b", "team-c"]), spread("x", ["cart", "payments", "catalog"])],
      SHOP,
      "x",
    ],
    [
      "is not one that has a few workloads among many other names",
      [spread("app", ["cart", "a", "b", "c", "d", "e"]), spread("component", ["cart", "payments"])],
      SHOP,
      "component",
    ],
    [
      "is the plainer name where the same speaks for two",
      [spread("job", ["cart", "payments"]), spread("service", ["cart", "payments"])],
      null,
      "service",
    ],
    [
      "is none whose values vary within a process, where another's do not",
      [spread("service", ["orders", "users"], { onePerProcess: false }), spread("app", ["cart", "payments"])],
      null,
      "app",
    ],
    ["is none that names who calls", [spread("source_workload", ["cart", "payments", "catalog"])], SHOP, undefined],
    ["is none with addresses for values", [spread("service", ["10.0.0.1:8080", "10.0.0.2:8080"])], null, undefined],
    ["is none with routes for values", [spread("service", ["/orders", "/users"])], null, undefined],
    [
      "is none with pods for values",
      [spread("app", ["cart-6d4cf56db6-x7k2p", "payments-7c9d8b4f5-9tz4m"])],
      null,
      undefined,
    ],
    ["is none that most of the series lack", [spread("service", ["cart"], { without: 90 })], null, undefined],
    ["is not there where no label is", [], SHOP, undefined],
  ])("%s", (_, spreads, workloads, label) => {
    expect(rankServiceLabels({ spreads }, workloads)[0]?.label).toBe(label);
  });

  it("says what speaks for it", () => {
    expect(rankServiceLabels({ spreads: [spread("app", ["cart", "payments"])] }, SHOP)[0]).toEqual({
      label: "app",
      fits: true,
      overlap: 2 / 3,
      why: "2 of 3 workloads are among its 2 values, on 100 % of the series, one value per process",
    });
  });
});

describe("the label that names the version", () => {
  it.each<readonly [string, readonly LabelSpread[], readonly SeenWorkload[] | null, string | undefined]>([
    ["is the one whose values run", [spread("build", ["1.4.0"]), spread("version", ["9.9.9"])], SHOP, "build"],
    ["is one whose values look like versions", [spread("revision", ["a1b2c3d", "b2c3d4e"])], null, "revision"],
    [
      "is not the protocol's",
      [spread("http_version", ["1.1"]), spread("network_protocol_version", ["2.0"])],
      null,
      undefined,
    ],
    [
      "is not one that varies within a process",
      [spread("version", ["1.0", "2.0"], { onePerProcess: false })],
      null,
      undefined,
    ],
    ["is not a bucket's bound", [spread("le", ["0.5", "1.5"])], null, undefined],
    ["is not there where nothing looks like one", [spread("team", ["red", "blue"])], SHOP, undefined],
  ])("%s", (_, spreads, workloads, label) => {
    expect(rankVersionLabels({ spreads }, workloads)[0]?.label).toBe(label);
  });
});

describe("failed requests", () => {
  it.each<readonly [string, LabelSpread, string | undefined]>([
    ["are told by the HTTP status", spread("code", ["200", "404"]), 'code=~"5.."'],
    ["are told by its class", spread("status", ["2xx", "5xx"]), 'status=~"5..|5xx|5XX"'],
    [
      "are told by gRPC's code",
      spread("grpc_code", ["OK", "NotFound"]),
      'grpc_code=~"Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"',
    ],
    [
      "are told by the span's status",
      spread("status_code", ["STATUS_CODE_UNSET", "STATUS_CODE_ERROR"]),
      'status_code="STATUS_CODE_ERROR"',
    ],
    ["are told by a flag", spread("error", ["false"]), 'error="true"'],
    ["are told by a flag of success", spread("success", ["true"]), 'success="false"'],
    ["are told by nothing else", spread("cache", ["hit", "miss"]), undefined],
  ])("%s", (_, one, matcher) => {
    expect(errorsOf({ spreads: [one] })?.matcher).toBe(matcher);
  });
});

describe("the metric that counts requests", () => {
  const status = spread("code", ["200"]);
  it("is one of the services, not of the platform, however many export that", () => {
    const scrapes = family("promhttp_metric_handler_requests_total", [status, spread("job", ["node"])], {
      targets: 90,
    });
    const api = family("rest_client_requests_total", [status, spread("job", ["cart"])], { targets: 50 });
    const own = family("shop_requests_total", [status, spread("app", ["cart"])], { targets: 3 });
    expect(rankRequests([scrapes, api, own], SHOP).map(({ family: one }) => one.name)[0]).toBe("shop_requests_total");
  });

  it("is one whose label has the workloads, before one of a conventional name that has none", () => {
    const other = family("http_requests_total", [status, spread("job", ["blackbox"])]);
    const own = family("shop_requests_total", [status, spread("app", ["cart", "payments"])]);
    expect(rankRequests([other, own], SHOP)[0]?.family.name).toBe("shop_requests_total");
  });

  it("is looked for by name among counters and counts, calls to others left out", () => {
    const names = [
      "http_client_requests_total",
      "http_server_requests_seconds_count",
      "http_server_requests_seconds_sum",
      "grpc_server_handled_total",
      "http_requests_total",
      "queue_length",
      "process_cpu_seconds_total",
      "orders_count",
    ];
    expect(requestNames(names)).toEqual([
      "http_requests_total",
      "http_server_requests_seconds_count",
      "grpc_server_handled_total",
    ]);
    expect(
      latencyNames([
        "http_request_duration_seconds_bucket",
        "http_client_duration_seconds_bucket",
        "size_bytes_bucket",
      ]),
    ).toEqual(["http_request_duration_seconds_bucket"]);
  });

  it("takes the histogram of the same source, and only one that has the service label", () => {
    const bucket = (name: string, label: string) => family(name, [spread(label, ["cart"])], { labels: ["le"] });
    const all = [
      bucket("apiserver_request_duration_seconds_bucket", "service"),
      bucket("db_duration_seconds_bucket", "service"),
      bucket("http_request_duration_seconds_bucket", "service"),
      bucket("http_requests_seconds_bucket", "job"),
    ];
    const requests = family("http_requests_total", []);
    expect(rankLatencies(all, requests, "service").map(({ family: one }) => one.name)).toEqual([
      "http_request_duration_seconds_bucket",
      "db_duration_seconds_bucket",
      "apiserver_request_duration_seconds_bucket",
    ]);
  });
});

describe("services and workloads", () => {
  it("meet by label, by name and by a name with its namespace; nothing is guessed", () => {
    const running = [
      workload("cart"),
      workload("pay", { service: "payments" }),
      workload("search", { service: "helm-release" }),
      workload("idle"),
    ];
    const met = matchServices(["cart", "payments", "shop/search", "car"], running);
    expect(met.byThemselves).toEqual(["cart", "payments"]);
    expect(met.toWrite.map(({ service, workload: one }) => [service, one.name])).toEqual([["shop/search", "search"]]);
    expect(met.withoutWorkload).toEqual(["car"]);
    expect(met.withoutMetrics.map(({ name }) => name)).toEqual(["idle"]);
  });

  it("are watched where they run, and without any metrics everywhere but in Kubernetes' own namespaces", () => {
    const running = [
      workload("cart"),
      workload("dns", { namespace: "kube-system" }),
      workload("x", { namespace: "lab" }),
    ];
    expect(namespacesOf(["cart"], running)).toEqual(["shop"]);
    expect(namespacesOf([], running)).toEqual(["lab", "shop"]);
  });
});

describe("thresholds", () => {
  it.each([
    ["no value", null, 0.05],
    ["no failure", 0, 0.05],
    ["1 %", 0.01, 0.05],
    ["4 %", 0.04, 0.08],
    ["30 %", 0.3, undefined],
  ])("of errors, where the day's highest is %s", (_, value, threshold) => {
    expect(errorThreshold(value === null ? null : { value, service: "a" })?.threshold).toBe(threshold);
  });

  it("are never below twice the day's highest", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), (value) => {
        const threshold = latencyThreshold({ value, service: "a" })?.threshold ?? 0;
        expect(threshold).toBeGreaterThanOrEqual(2 * value * (1 - 1e-9));
        expect(threshold).toBeLessThanOrEqual(2.3 * value);
      }),
    );
  });
});

describe("the written file", () => {
  const name = fc.oneof(
    fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
    fc.constantFrom(
      `$${"{HOME}"}`,
      "a: b",
      "- x",
      "#no",
      "'",
      '"',
      `$${"{a}'"}"`,
      "ü\u2028x",
      "null",
      "~",
      "1",
      "\\",
      "{",
      "*",
    ),
  );
  const text = fc.oneof(name, fc.string({ maxLength: 80 }));
  const label = fc.stringMatching(/^[a-z_]{1,12}$/);
  const draft: fc.Arbitrary<Draft> = fc.record({
    mode: fc.constantFrom("observe", "approve"),
    approver: fc.option(fc.record({ name, tokenKey: fc.constant(`ed25519:${"A".repeat(43)}`) })),
    windowMs: fc.constantFrom(5000, 15_000, 60_000, 300_000, 3_600_000),
    traces: fc.option(fc.record({ endpoint: fc.constant("http://zipkin.example:9411/"), why: text })),
    prometheus: fc.record({
      endpoint: fc.constantFrom("http://127.0.0.1:9090", "https://p.example/prometheus"),
      tokenVariable: fc.constantFrom(null, "PROMETHEUS_TOKEN"),
    }),
    queries: fc.constantFrom(
      [],
      [
        { metric: "error_rate", query: 'sum(rate(a{b=~"5.."}[5m])) / sum(rate(a[5m]))', unit: null, why: "x" },
        {
          metric: "p99_latency",
          query: "histogram_quantile(0.99, sum by (le) (rate(a[5m])))",
          unit: "s",
          why: "y # z\n- q",
        },
      ],
    ),
    kubernetes: fc.option(
      fc.record({
        kubeconfig: fc.constantFrom(null, "/home/a b/.kube/config", "/x/'q'"),
        context: fc.option(name),
        namespaces: fc.array(name, { minLength: 1, maxLength: 3 }),
        why: text,
      }),
    ),
    argocd: fc.option(
      fc.record({
        endpoint: fc.constant("https://argocd.example"),
        tokenVariable: fc.constantFrom(null, "ARGOCD_TOKEN"),
        applications: fc.array(name, { maxLength: 2 }),
        why: text,
      }),
    ),
    flags: fc.option(
      fc.record({
        type: fc.constant("unleash" as const),
        endpoint: fc.constant("https://flags.example"),
        tokenVariable: fc.constant("UNLEASH_TOKEN"),
        project: name,
        environment: name,
        environmentKey: fc.constant(null),
        why: text,
      }),
    ),
    serviceLabel: fc.option(fc.record({ label, why: text })),
    versionLabel: fc.option(fc.record({ label, why: text })),
    errorRate: fc.option(fc.record({ threshold: fc.constantFrom(0.05, 0.12), why: text })),
    latency: fc.option(fc.record({ threshold: fc.constantFrom(250, 1200), why: text })),
    services: fc.uniqueArray(
      fc.record({ service: name, workload: fc.option(name.map((one) => workload(one))), application: fc.option(name) }),
      { selector: ({ service }) => service, maxLength: 3 },
    ),
    notes: fc.array(text, { maxLength: 2 }),
  });
  const variables = { PROMETHEUS_TOKEN: "p", ARGOCD_TOKEN: "a", UNLEASH_TOKEN: "u" };

  it("loads with the strict schema, in the mode that was meant, and says what was meant, whatever the names are", () => {
    fc.assert(
      fc.property(draft, (one) => {
        const written = draftText(one);
        const loaded = loadConfig(written, "unship.yaml", variables);
        expect(loaded.ok ? [] : loaded.problems, written).toEqual([]);
        if (!loaded.ok) return;
        const { config } = loaded;
        expect(config.mode).toBe(one.mode);
        expect(config.approvers.map(({ name }) => name)).toEqual(one.approver === null ? [] : [one.approver.name]);
        expect(Object.keys(config.services).toSorted()).toEqual(one.services.map(({ service }) => service).toSorted());
        const kubernetes = config.dataSources.deployments.find(({ type }) => type === "kubernetes");
        expect(kubernetes?.type === "kubernetes" ? kubernetes.namespaces : null).toEqual(
          one.kubernetes?.namespaces ?? null,
        );
        expect(config.allowedActions.every(({ requireApproval }) => requireApproval)).toBe(true);
      }),
    );
  });
});
