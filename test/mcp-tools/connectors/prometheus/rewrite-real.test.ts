import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { path } from "../../../../mcp-tools/connectors/http.ts";
import { Answer, sampleValue, seriesOf } from "../../../../mcp-tools/connectors/prometheus/answer.ts";
import { withRateWindow } from "../../../../mcp-tools/connectors/prometheus/rate-window.ts";
import { rewriteByService } from "../../../../mcp-tools/connectors/prometheus/rewrite.ts";
import { type RealPrometheus, startPrometheus } from "../../../real/prometheus.ts";
import { requireReal } from "../../../real-component.ts";

const T = 1_700_000_000;
const MINUTES = 20;
const never = new AbortController().signal;
const real = requireReal("prometheus", "prometheus");

/** Two services with two pods and two routes each, every 15 s, with steady but different rates. */
function samples(): string {
  const families = new Map<string, string[]>();
  const add = (family: string, line: string) => families.set(family, [...(families.get(family) ?? []), line]);
  for (const [s, service] of ["shop", "cart"].entries())
    for (const pod of [1, 2])
      for (const [r, route] of ["/a", "/b"].entries())
        for (let i = 0; i <= MINUTES * 4; i += 1) {
          const labels = `service="${service}",pod="p${pod}",route="${route}",instance="${service}-${pod}"`;
          const at = T + i * 15;
          const speed = (s + 1) * 7 + pod * 3 + r;
          add("req counter", `req_total{${labels},status="200"} ${i * speed * 5} ${at}`);
          add("req counter", `req_total{${labels},status="500"} ${i * (pod + r)} ${at}`);
          for (const [b, le] of ["0.1", "1.0", "5.0", "+Inf"].entries())
            add("dur histogram", `dur_bucket{${labels},le="${le}"} ${i * (speed + b * (s + 2))} ${at}`);
          add("queue gauge", `queue{${labels}} ${speed + (i % 7)} ${at}`);
        }
  // OpenMetrics wants each series in one piece.
  const text = [...families].flatMap(([family, lines]) => [
    `# TYPE ${family}`,
    ...lines.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : timeOf(a) - timeOf(b))),
  ]);
  return `${text.join("\n")}\n# EOF\n`;
}
const keyOf = (line: string) => line.replace(/,le="[^"]*"/, "").replace(/\}.*/, "");
const timeOf = (line: string) => Number(line.split(" ").at(-1));

/** A query as a function of a matcher that each of its selectors carries, so that it can be asked of one service too. */
type Shape = (matcher: string) => string;

const counter: fc.Arbitrary<Shape> = fc.constantFrom<Shape>(
  (m) => `rate(req_total{${m}}[5m])`,
  (m) => `rate(req_total{status=~"5..",${m}}[2m])`,
  (m) => `increase(req_total{${m}}[5m] offset 1m)`,
  (m) => `irate(req_total{${m}}[2m])`,
);
const gauge: fc.Arbitrary<Shape> = fc.constantFrom<Shape>(
  (m) => `queue{${m}}`,
  (m) => `avg_over_time(queue{${m}}[5m])`,
  (m) => `(queue{${m}} > 12)`,
  (m) => `abs(queue{${m}} - 20)`,
);
const grouping = fc.constantFrom(
  "",
  "by (route) ",
  "by (service) ",
  "by (pod, service) ",
  "without (pod, status) ",
  "without (service) ",
);
const aggregate = (inner: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> =>
  fc.tuple(fc.constantFrom("sum", "avg", "max", "min", "count", "stddev", "group"), grouping, inner).map(
    ([op, by, expression]) =>
      (m) =>
        `${op} ${by}(${expression(m)})`,
  );
const quantile: fc.Arbitrary<Shape> = fc
  .tuple(fc.constantFrom("0.5", "0.99"), fc.constantFrom("", "by (le) ", "by (le, service) "))
  .map(([q, by]) => (m) => {
    const inner = `rate(dur_bucket{${m}}[5m])`;
    return by === ""
      ? `histogram_quantile(${q}, sum by (le) (${inner}))`
      : `histogram_quantile(${q}, sum ${by}(${inner}))`;
  });
const { expression } = fc.letrec<{ expression: Shape; vector: Shape }>((tie) => ({
  vector: fc.oneof(counter, gauge, aggregate(fc.oneof(counter, gauge)), quantile),
  expression: fc.oneof(
    { maxDepth: 3 },
    tie("vector"),
    fc
      .tuple(fc.constantFrom("+", "-", "*", "/", "> bool", "<"), tie("expression"), fc.constantFrom("2", "0.5", "100"))
      .map(
        ([op, left, number]): Shape =>
          (m) =>
            `(${left(m)}) ${op} ${number}`,
      ),
    fc
      .tuple(
        fc.constantFrom("+", "-", "*", "/", ">= bool", "and", "or", "unless"),
        aggregate(counter),
        aggregate(gauge),
      )
      .map(
        ([op, left, right]): Shape =>
          (m) =>
            `${left(m)} ${op} ${right(m)}`,
      ),
    fc.tuple(fc.constantFrom("/", "and", "*"), aggregate(counter), tie("expression")).map(
      ([op, left, right]): Shape =>
        (m) =>
          `sum(${left(m)}) ${op} on () sum(${right(m)})`,
    ),
    tie("expression").map(
      (inner): Shape =>
        (m) =>
          `-(${inner(m)})`,
    ),
    tie("expression").map(
      (inner): Shape =>
        (m) =>
          `clamp_max(${inner(m)}, 30)`,
    ),
    tie("expression").map(
      (inner): Shape =>
        (m) =>
          `max_over_time((${inner(m)})[3m:1m])`,
    ),
    tie("expression").map(
      (inner): Shape =>
        (m) =>
          `topk(2, ${inner(m)})`,
    ),
    aggregate(tie("expression")),
  ),
}));

describe.skipIf(!real)("rewritten queries, on a real Prometheus", () => {
  let prometheus: RealPrometheus;
  beforeAll(async () => {
    prometheus = await startPrometheus({ openMetrics: samples() });
  });
  afterAll(async () => {
    await prometheus?.[Symbol.asyncDispose]();
  });

  async function ask(query: string) {
    const form = new URLSearchParams({ query, time: String(T + MINUTES * 60) }).toString();
    const type = "application/x-www-form-urlencoded";
    const { body } = await prometheus.http.send("POST", path`/api/v1/query`, form, type, Answer, never);
    return (seriesOf(body) ?? []).map(({ metric, points }) => ({ metric, value: sampleValue(points[0]?.[1] ?? "") }));
  }

  it("says of each service what the original says of it alone: the worst of its series", async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(expression, async (shape) => {
        const rewritten = rewriteByService(shape(""), "service");
        // `unless` and friends may leave both sides empty; an original that Prometheus refuses proves nothing.
        const alone = await ask(shape('service="shop"')).catch(() => null);
        fc.pre(rewritten.ok && alone !== null);
        if (!rewritten.ok || alone === null) return;
        const answer = await ask(rewritten.query);
        expect(answer.every(({ metric }) => Object.keys(metric).every((label) => label === "service"))).toBe(true);
        const mine = answer.filter(({ metric }) => metric.service === "shop");
        expect(mine.length, `${shape("")} → ${rewritten.query}`).toBe(alone.length === 0 ? 0 : 1);
        if (alone.length === 0) return;
        compared += 1;
        const values = alone.map(({ value }) => value).filter((value) => value !== null);
        if (values.length === 0) expect(mine[0]?.value).toBeNull();
        else expect(mine[0]?.value, `${shape("")} → ${rewritten.query}`).toBeCloseTo(Math.max(...values), 9);
      }),
      { numRuns: 400, seed: 20261124 },
    );
    expect(compared).toBeGreaterThan(100);
  });

  it.each([
    [
      "cart has errors and shop has none: shop's share is 0",
      'sum(rate(req_total{status="500",service!="shop"}[5m])) / sum(rate(req_total[5m]))',
      "shop",
      0,
    ],
    [
      "no traffic is no answer",
      'sum(rate(req_total{status="404"}[5m])) / sum(rate(req_total{status="404"}[5m]))',
      "shop",
      undefined,
    ],
  ])("%s", async (_, query, service, expected) => {
    const rewritten = rewriteByService(query, "service");
    expect(rewritten.ok).toBe(true);
    if (!rewritten.ok) return;
    const found = (await ask(rewritten.query)).find(({ metric }) => metric.service === service);
    expect(found?.value).toBe(expected);
  });

  it("the histogram of a service is that of all its pods and routes", async () => {
    const rewritten = rewriteByService("histogram_quantile(0.99, rate(dur_bucket[5m]))", "service");
    if (!rewritten.ok) throw new Error(rewritten.because);
    const [expected] = await ask('histogram_quantile(0.99, sum by (le) (rate(dur_bucket{service="cart"}[5m])))');
    const found = (await ask(rewritten.query)).find(({ metric }) => metric.service === "cart");
    expect(found?.value).toBeCloseTo(expected?.value ?? Number.NaN, 12);
  });

  it("a shorter window for rates is PromQL too", async () => {
    const query = withRateWindow("sum(rate(req_total[5m])) / sum(rate(req_total[10m]))", "45000ms");
    expect(query === null ? [] : await ask(query)).toEqual([{ metric: {}, value: 1 }]);
    expect(z.string().parse(query)).toContain("[45000ms]");
  });
});
