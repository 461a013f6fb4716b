import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFakeOpenai } from "../../fakes/fake-openai.ts";
import { requireReal } from "../../real-component.ts";
import { httpProcess, openWorld } from "./live-world.ts";

type World = Awaited<ReturnType<typeof openWorld>>;

const SHARE = 'sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))';

/** A file that is right about the world below; each test spoils one thing of it. */
const fileOf = ({ prometheus, kubeconfig }: World): string => `mode: observe
data_sources:
  metrics:
    type: prometheus
    endpoint: ${prometheus}
    queries:
      error_rate: '${SHARE}'
      p99_latency: 'histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))'
  deployments: { type: kubernetes, kubeconfig: ${kubeconfig}, namespaces: [shop] }
service_label: service
version_label: version
rollback_policies:
  auto_rollback:
    conditions:
      - { metric: error_rate, threshold: 0.05, duration: 3m }
      - { metric: p99_latency, threshold: 900, duration: 3m }
    action: rollback_immediate
execution:
  allowed_actions: [{ type: kubectl_rollout_undo, namespaces: [shop] }]
  guardrails: { never_auto_rollback: [payments] }
services:
  cart: { namespace: shop, workload: { kind: Deployment, name: cart } }
topology: { edges: [[cart, payments], [cart, bank]], external: [bank] }
`;

const NONE = "no service of the metrics and no workload";

/** What is written instead of what, and the problem that is named for it: place, message, remedy. */
const SPOILED: readonly (readonly [what: string, from: string, to: string, line: RegExp])[] = [
  [
    "a namespace that is watched",
    "namespaces: [shop] }\nservice",
    "namespaces: [shopp] }\nservice",
    /:9:\d+: data_sources\.deployments\.namespaces\[0\] is "shopp", which is no namespace of the cluster \(did you mean shop\?\)/,
  ],
  [
    "a namespace that may be acted in",
    "undo, namespaces: [shop]",
    "undo, namespaces: [production]",
    /:19:64: execution\.allowed_actions\[0\]\.namespaces\[0\] is "production", which is no namespace of the cluster/,
  ],
  [
    "a workload",
    "name: cart } }",
    "name: crat } }",
    /:22:\d+: services\.cart\.workload\.name is "crat", and no Deployment of that name runs in namespace shop \(did you mean cart\?\)/,
  ],
  [
    "a workload's kind",
    "kind: Deployment",
    "kind: StatefulSet",
    /:22:\d+: services\.cart\.workload\.name is "cart", and no StatefulSet .*\(there is a Deployment cart in namespace shop: write that kind and namespace\)/,
  ],
  [
    "a service",
    "services:\n",
    "services:\n  basket: { namespace: shop }\n",
    new RegExp(`:22:3: services\\.basket is ${NONE}`),
  ],
  [
    "a protected name",
    "never_auto_rollback: [payments]",
    "never_auto_rollback: [billing]",
    new RegExp(
      `:20:\\d+: execution\\.guardrails\\.never_auto_rollback\\[0\\] is "billing", which is ${NONE} \\(a name that matches nothing protects nothing`,
    ),
  ],
  [
    "a node of the call graph",
    "[cart, payments]",
    "[cart, wroker]",
    new RegExp(`:23:\\d+: topology\\.edges\\[0\\]\\[1\\] is "wroker", which is ${NONE} \\(did you mean worker\\?\\)`),
  ],
  [
    "a label in a query",
    "{status=~",
    "{stauts=~",
    /:7:\d+: data_sources\.metrics\.queries\.error_rate asks for the label "stauts", which no series of http_requests_total has \(did you mean status\?\)/,
  ],
  [
    "a label that results are grouped by",
    "sum by (le) (",
    "sum by (le, servce) (",
    /:8:\d+: data_sources\.metrics\.queries\.p99_latency groups by the label "servce", which no series of http_request_duration_seconds_bucket has \(did you mean service\?\)/,
  ],
  [
    "a metric in a query",
    "http_request_duration_seconds_bucket",
    "http_request_duration_secs_bucket",
    /:8:\d+: data_sources\.metrics\.queries\.p99_latency asks for "http_request_duration_secs_bucket", of which Prometheus has had no series for a day \(did you mean http_request_duration_seconds_bucket\?\)/,
  ],
  [
    "a metric that a policy judges by the usual query",
    "{ metric: p99_latency, threshold: 900",
    "{ metric: memory_usage, threshold: 0.9",
    /:16:\d+: rollback_policies\.auto_rollback\.conditions\[1\]\.metric: no series matches the default query of memory_usage/,
  ],
  [
    "failures alone, where a service without any has no series of them",
    `'${SHARE}'`,
    `'sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_request_duration_seconds_count[5m]))'`,
    /:7:\d+: data_sources\.metrics\.queries\.error_rate: no series matches http_requests_total\{status=~"5\.\."\}, so that error_rate has no value for any service \(absent failures are read as 0 only where/,
  ],
  [
    "a service label that no series has",
    "service_label: service",
    "service_label: servce",
    /:10:16: service_label: no series of http_requests_total has the label servce \(write service_label: service; 2 of 3 workloads are among its 2 values/,
  ],
  [
    "a service label of other things",
    "service_label: service",
    "service_label: team",
    /:10:16: service_label: none of the values of team on http_requests_total \(\w+, \w+\) is a workload or a service of this file \(write service_label: service; /,
  ],
  [
    "a version label that no series has",
    "version_label: version",
    "version_label: release",
    /:11:16: version_label: no series of http_requests_total has the label release \(write version_label: version; /,
  ],
  [
    "what is no PromQL",
    "sum by (le) (rate(",
    "sum by (le) rate((",
    /:8:\d+: data_sources\.metrics\.queries\.p99_latency is no PromQL from character \d+ on/,
  ],
  [
    "what the server will not evaluate",
    "histogram_quantile(0.99, sum",
    "histogram_quantile(sum",
    /:8:\d+: data_sources\.metrics\.queries\.p99_latency: prometheus refused the request with status 400: it says «.*expected 2 argument/,
  ],
];

describe.skipIf(!requireReal("prometheus", "prometheus"))(
  "unship check, against a real Prometheus and a cluster",
  () => {
    let world: World;
    beforeAll(async () => {
      world = await openWorld({
        processes: [
          httpProcess({ service: "cart", version: "1.0.0", team: "red" }),
          httpProcess({ service: "payments", version: "2.1.0", team: "blue" }),
        ],
        workloads: [{ name: "cart" }, { name: "payments" }, { name: "worker" }],
      });
    });
    afterAll(() => world[Symbol.asyncDispose]());

    it("is ready where all that the file names exists, and says how absent failures are read", async () => {
      const { code, out, err } = await world.check(fileOf(world));
      expect({ code, err }, out).toEqual({ code: 0, err: "" });
      expect(out).not.toMatch(/FAIL|DOWN/);
      expect(out).toContain(
        'ok   error_rate: no series matches http_requests_total{status=~"5.."} now: for the 2 services with requests that is read as no failures (0)',
      );
      expect(out).toContain("ok   2 services have metrics and a workload: cart, payments");
      expect(out).toContain("NOTE workloads without metrics, judged by their pods' readiness alone: worker");
      expect(out.trimEnd().split("\n").at(-1)).toBe(
        "Verdict: ready for mode observe: every source answered, with 1 thing to know (NOTE).",
      );
    });

    it.each(SPOILED)("fails on %s, with the place and the remedy", async (_, from, to, line) => {
      const right = fileOf(world);
      expect(right).toContain(from);
      const { code, out } = await world.check(right.replace(from, to));
      const failures = out.split("\n").filter((one) => one.startsWith("  FAIL"));
      expect(failures.join("\n"), out).toMatch(line);
      expect(failures, out).toHaveLength(1);
      expect(out.trimEnd().split("\n").at(-1)).toBe("Verdict: not ready: 1 problem to fix (FAIL).");
      expect(code).toBe(1);
    });

    it("tells what is no PromQL without asking anybody", async () => {
      const { code, out } = await world.check(fileOf(world).replace("[5m]))'", "[5m)'"), ["--offline"]);
      expect(out).toMatch(/FAIL checked\.yaml:7:\d+: data_sources\.metrics\.queries\.error_rate is no PromQL/);
      expect(code).toBe(1);
    });

    it.each([
      ["does not answer", (text: string, { kubeconfig }: World) => text.replace(kubeconfig, `${kubeconfig}-down`)],
      ["has no kubeconfig", (text: string, { kubeconfig }: World) => text.replace(kubeconfig, "/nowhere/kubeconfig")],
    ])("goes on without a cluster that %s: it is down, and what it would tell is unknown", async (_, spoil) => {
      const { writeFileSync, readFileSync } = await import("node:fs");
      const nobody = readFileSync(world.kubeconfig, "utf8").replace(/server: .*/, "server: http://127.0.0.1:9");
      writeFileSync(`${world.kubeconfig}-down`, nobody);
      const { code, out } = await world.check(spoil(fileOf(world), world));
      expect(out).toMatch(/DOWN kubernetes/);
      expect(out).toContain("ok   prometheus error_rate");
      expect(out).toContain("ok   service_label service");
      expect(out).toMatch(/NOTE cannot tell whether these exist, .*namespace shop/);
      expect(out).not.toContain("FAIL");
      expect(out.trimEnd().split("\n").at(-1)).toMatch(
        /^Verdict: not proven: 1 of \d+ questions to sources got no answer \(DOWN\)/,
      );
      expect(code).toBe(3);
    });

    it("S10: asks the model for one word, and says that it is down where it does not answer", async () => {
      const fine = await startFakeOpenai([{ kind: "say", text: "ready" }]);
      const model = (url: string) =>
        `model: { provider: openai, model: small, base_url: "${url}", api_key: key-of-mine }\n`;
      const { code, out } = await world.check(`${fileOf(world)}${model(`${fine.baseUrl}/v1`)}`);
      expect(out).toMatch(/ok {3}model openai small: answered in \d+ ms, 109 tokens/);
      expect(fine.requests).toHaveLength(1);
      await fine.close();
      expect(code).toBe(0);
      const down = await world.check(`${fileOf(world)}${model("http://127.0.0.1:9/v1")}`);
      expect(down.out).toMatch(/DOWN model openai small: The model gave no usable answer/);
      expect(`${down.out}${down.err}`).not.toContain("key-of-mine");
      expect(down.code).toBe(3);
    });

    it("says the same as JSON", async () => {
      const { out } = await world.check(fileOf(world).replace("{status=~", "{stauts=~"), ["--json"]);
      const said = JSON.parse(out);
      expect(said).toMatchObject({ ok: false, verdict: "not ready: 1 problem to fix (FAIL)." });
      expect(said.problems).toMatchObject([{ file: "checked.yaml", line: 7, hint: "did you mean status?" }]);
    });
  },
);
