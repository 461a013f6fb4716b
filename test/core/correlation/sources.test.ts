import { describe, expect, it } from "vitest";
import { rankCandidates } from "../../../core/correlation/rank.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Span } from "../../../core/model/evidence.ts";
import { caseAt } from "../assessment/case-at.ts";
import { base, edges } from "../assessment/trap.ts";
import { emptyCase, line, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const services = ["web", "gateway", "cart", "checkout", "pay", "stock"];
const silent = (service: string) => ({
  service,
  metric: "error_rate",
  unit: "ratio",
  worse: "up" as const,
  labels: {},
  startAt: T0 - MINUTE,
  stepMs: 15_000,
  values: [],
});
/** Nothing is measured: only what each test adds speaks. */
const blind = (more: Partial<CaseFile>): CaseFile =>
  emptyCase({ series: services.map(silent), at: T0 + 5 * MINUTE, ...more });
const rootsOf = (file: CaseFile, onset = onsetAt(T0)) =>
  rankCandidates(file, [], onset, new Set(["web"]), { versionLabel: "version", windowMs: 30 * MINUTE }).rootCauses;
const first = (file: CaseFile) => rootsOf(file)[0]?.service;

/** A request through web, gateway, checkout and pay: who takes how long itself (ms), and from where on it fails. */
function request(id: number, at: number, own: Readonly<Record<string, number>>, fails = ""): readonly Span[] {
  const path = ["web", "gateway", "checkout", "pay"];
  const failed = path.indexOf(fails);
  return path.map((service, i) => ({
    traceId: `t${id}`,
    spanId: `s${i}`,
    ...(i === 0 ? {} : { parentId: `s${i - 1}` }),
    service,
    name: "call",
    startUs: at * 1000 + i,
    durationUs: 1000 * path.slice(i).reduce((sum, name) => sum + (own[name] ?? 5), 0),
    error: failed >= i,
  }));
}
const requests = (own: Readonly<Record<string, number>>, fails = "") => [
  ...Array.from({ length: 40 }, (_, i) => request(i, T0 - 10 * MINUTE + i * 1000, {})).flat(),
  ...Array.from({ length: 40 }, (_, i) =>
    request(100 + i, T0 + MINUTE + i * 1000, own, i % 3 === 0 ? fails : ""),
  ).flat(),
];

describe("each source alone says where the trouble starts", () => {
  it("logs: a new error of its own", () => {
    const logs = [1, 2, 3].map((i) => line(T0 + i * 1000, `index ${i} out of range in Pay.total`, { service: "pay" }));
    expect(first(blind({ logs }))).toBe("pay");
  });

  it("logs: whoever others complain of, not who complains", () => {
    const logs = ["web", "gateway", "checkout"].flatMap((service) =>
      [1, 2].map((i) => line(T0 + i * 1000, `call of pay gave ${500 + i}`, { service })),
    );
    expect(first(blind({ logs }))).toBe("pay");
  });

  it("logs: a complaint that names nobody accuses nobody", () => {
    const logs = [1, 2].map((i) => line(T0 + i * 1000, `upstream request timeout ${i}`, { service: "web" }));
    const roots = rootsOf(blind({ logs })).filter(({ service }) => services.includes(service));
    expect(new Set(roots.map(({ score }) => score.toFixed(9))).size).toBe(1);
  });

  it("traces: the last that fails, not those that fail because of it", () => {
    expect(first(blind({ spans: requests({}, "pay") }))).toBe("pay");
    expect(first(blind({ spans: requests({}, "checkout") }))).toBe("checkout");
  });

  it("traces: the one that itself takes longer, not those that wait for it", () => {
    expect(first(blind({ spans: requests({ checkout: 60 }) }))).toBe("checkout");
  });

  it("traces: nobody where all is as it was", () => {
    const roots = rootsOf(blind({ spans: requests({}) })).filter(({ service }) => services.includes(service));
    expect(new Set(roots.map(({ score }) => score.toFixed(9))).size).toBe(1);
  });

  it("metrics and calls: the callee that explains its callers", async () => {
    for (const service of ["stock", "checkout", "pay"] as const) {
      const file = await caseAt({ ...base, external: [], effects: [{ service, fromS: 310, latency: 4 }] }, 430);
      expect(rootsOf(file, onsetAt(file.at - 120_000, 15_000, 15_000))[0]?.service).toBe(service);
    }
  });

  it("calls without metrics of the origin: the callee that nobody measures, where all its callers fail and it alone joins them", async () => {
    const known = services.filter((service) => service !== "stock");
    const file = await caseAt({ ...base, effects: [{ service: "stock", fromS: 310, errors: 0.5, spread: 0.9 }] }, 430);
    const blindOfStock = {
      ...file,
      topology: { edges: [...edges, ["checkout", "stock"] as const], external: [] },
      series: file.series.filter(({ service }) => known.includes(service)),
      findings: file.findings.filter(({ service }) => known.includes(service)),
    };
    const roots = rootsOf(blindOfStock, onsetAt(file.at - 120_000, 15_000, 15_000)).map(({ service }) => service);
    expect(roots.slice(0, 2)).toContain("stock");
  });

  it("none: every service alike", () => {
    const roots = rootsOf(blind({})).filter(({ service }) => services.includes(service));
    expect(roots).toHaveLength(services.length);
    expect(new Set(roots.map(({ score }) => score.toFixed(9))).size).toBe(1);
  });
});
