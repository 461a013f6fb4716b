import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCallGraph } from "../../../core/correlation/call-graph.ts";
import { type SeenOfCallees, unseenCallees } from "../../../core/correlation/callees-seen.ts";
import { HARM_CERTAIN, harmByService } from "../../../core/correlation/harm.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import type { Span, Topology } from "../../../core/model/evidence.ts";
import type { Series } from "../../../core/model/signal.ts";
import { change, emptyCase, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const ONSET = T0 + MINUTE;
const AT = ONSET + 2 * MINUTE;
const onset = onsetAt(ONSET);

/** What is recorded of one that the service calls. */
const RECORDED = {
  "errors and latency": true,
  "errors alone": true,
  "latency alone": true,
  "errors and latency, failing since the onset": true,
  "errors and latency, silent since the onset": false,
  "errors and latency, silent for an hour": false,
  "errors and latency, silent for a minute from the onset on, then well": false,
  "errors and latency, silent from a minute after the onset on": false,
  "errors and latency, one sample missing at the onset": true,
  "processor time alone": false,
  "readiness alone": false,
  "errors of five minutes a sample, none of them since": false,
  "errors of three requests a minute": false,
  nothing: false,
} as const;
type Recorded = keyof typeof RECORDED;
const ALL = Object.keys(RECORDED) as Recorded[];

function series(service: string, metric: string, value: (at: number) => number | null, stepMs = STEP): Series {
  const startAt = T0 - 90 * MINUTE;
  const length = Math.floor((AT - startAt) / stepMs) + 1;
  const values = Array.from({ length }, (_, i) => value(startAt + i * stepMs));
  return { service, metric, unit: "", worse: "up", labels: {}, startAt, stepMs, values };
}

function recorded(service: string, how: Recorded): readonly Series[] {
  const until = how.includes("for an hour")
    ? T0 - 60 * MINUTE
    : how.includes("from a minute after")
      ? ONSET + MINUTE
      : ONSET;
  const back = how.endsWith("then well") ? ONSET + MINUTE : how.includes("one sample") ? ONSET + STEP : AT;
  const there = (at: number) => (!how.includes("silent") && !how.includes("missing")) || at <= until || at > back;
  const failing = (at: number) => how.includes("failing") && at > ONSET;
  const stepMs = how.startsWith("errors of five minutes") ? 5 * MINUTE : STEP;
  const perSecond = how.startsWith("errors of three requests") ? 0.05 : 50;
  const errors = [
    series(service, "error_rate", (at) => (there(at) ? (failing(at) ? 0.3 : 0.001) : null), stepMs),
    series(service, "request_rate", (at) => (there(at) ? perSecond : null), stepMs),
  ];
  const latency = series(service, "p99_latency", (at) => (there(at) ? 100 + (at % 7) : null));
  if (how === "nothing") return [];
  if (how === "processor time alone") return [series(service, "cpu_usage", () => 0.3)];
  if (how === "readiness alone") return [series(service, "health_check_failures", () => 0)];
  if (how === "latency alone") return [latency];
  return how.startsWith("errors and latency") ? [...errors, latency] : errors;
}

const cart = [
  series("cart", "error_rate", (at) => (at > ONSET ? 0.3 : 0.001)),
  series("cart", "request_rate", () => 50),
];

function seen(
  topology: Topology | null,
  around: readonly Series[],
  replaced: Partial<SeenOfCallees & { readonly spans: readonly Span[] }> = {},
): SeenOfCallees {
  const { spans = [], ...rest } = replaced;
  const index = indexSeries([...cart, ...around], "version");
  return {
    caseFile: emptyCase({ at: AT, topology, spans: [...spans] }),
    index,
    graph: createCallGraph(topology),
    onset,
    stepMs: STEP,
    harm: harmByService(index, [], onset, AT),
    worse: new Map([["cart", new Set(["error_rate"])]]),
    course: "shift",
    usedUp: null,
    ...rest,
  };
}

const deploy = change({ service: "cart" });
const calls = (callees: readonly string[], callers: readonly string[] = [], external: readonly string[] = []) => ({
  edges: [...callees.map((one) => ["cart", one] as const), ...callers.map((one) => [one, "cart"] as const)],
  external,
});

describe("one whose newest sample is missing", () => {
  /** Samples are there up to the first, and the look is at the second, both in steps after the onset. */
  const rows: readonly (readonly [string, number, number, boolean])[] = [
    ["is not seen where a single one came since the onset: it may have fallen silent", 2, 3, false],
    ["is seen once that came as well", 3, 3, true],
    ["is seen where two came since the onset: the newest may be late", 3, 4, true],
    ["is not seen once the next is missing too", 3, 5, false],
  ];
  it.each(rows)("%s", (_, heard, looked, isKnown) => {
    const at = ONSET + looked * STEP;
    const until = ONSET + heard * STEP;
    const callee = [
      series("callee", "error_rate", (time) => (time <= until ? 0.001 : null)),
      series("callee", "request_rate", (time) => (time <= until ? 50 : null)),
    ];
    const topology = calls(["callee"]);
    const known = seen(topology, callee, { caseFile: emptyCase({ at, topology }) });
    expect(unseenCallees(deploy, known)).toEqual(isKnown ? [] : ["callee"]);
  });
});

describe("one that fell silent after the first sample of the trouble", () => {
  it.each<[string, number, boolean]>([
    ["is not seen where that sample hints at trouble of its own", 2.7, false],
    ["is not seen where it hints at nothing", 0, false],
    ["is seen where that sample is all but certain of it", HARM_CERTAIN, true],
  ])("%s", (_, nats, isKnown) => {
    const around = recorded("callee", "errors and latency, silent since the onset");
    const known = seen(calls(["callee"]), around, { harm: new Map([["callee", nats]]) });
    expect(unseenCallees(deploy, known)).toEqual(isKnown ? [] : ["callee"]);
  });
});

describe("those that a changed service calls and nobody saw since the onset", () => {
  const callees = fc.array(fc.constantFrom(...ALL), { minLength: 1, maxLength: 4 });

  it("are all but those whose answers were measured since, whoever else is measured and whoever calls the service", () => {
    const callers = fc.array(fc.constantFrom<Recorded>("errors and latency", "nothing"), { maxLength: 3 });
    fc.assert(
      fc.property(callees, callers, fc.boolean(), (recordedOf, above, isExternal) => {
        const names = recordedOf.map((_, i) => `callee-${i}`);
        const unmeasured = names.filter((_, i) => recordedOf[i] === "nothing");
        const topology = calls(
          names,
          above.map((_, i) => `caller-${i}`),
          isExternal ? unmeasured : [],
        );
        const around = [
          ...recordedOf.flatMap((how, i) => recorded(`callee-${i}`, how)),
          ...above.flatMap((how, i) => recorded(`caller-${i}`, how)),
          ...recorded("stranger", "errors and latency"),
        ];
        const expected = names.filter((_, i) => !RECORDED[recordedOf[i] ?? "nothing"]);
        expect(unseenCallees(deploy, seen(topology, around))).toEqual(expected);
      }),
    );
  });

  it("never become fewer by a healthy callee or a measured caller beside them", () => {
    fc.assert(
      fc.property(callees, (recordedOf) => {
        const names = recordedOf.map((_, i) => `callee-${i}`);
        const around = recordedOf.flatMap((how, i) => recorded(`callee-${i}`, how));
        const more = [
          ...around,
          ...recorded("well", "errors and latency"),
          ...recorded("gateway", "errors and latency"),
        ];
        expect(unseenCallees(deploy, seen(calls([...names, "well"], ["gateway"]), more))).toEqual(
          unseenCallees(deploy, seen(calls(names), around)),
        );
      }),
    );
  });

  it.each<readonly [string, SeenOfCallees, readonly string[] | null]>([
    ["are not known without a graph", seen(null, []), null],
    ["are none of a leaf", seen(calls([], ["gateway"]), recorded("gateway", "errors and latency")), []],
    ["are none of a service that reports and calls nobody", seen({ ...calls([]), reporting: ["cart"] }, []), []],
    ["are what a reporting service is seen to call", seen({ ...calls(["bank"]), reporting: ["cart"] }, []), ["bank"]],
    ["do not count itself", seen(calls(["cart"]), []), []],
    ["are not asked for while what it uses up creeps", seen(calls(["bank"]), [], { course: "drift" }), []],
    ["are not asked for where the service itself is not worse", seen(calls(["bank"]), [], { worse: new Map() }), []],
  ])("%s", (_, evidence, expected) => {
    expect(unseenCallees(deploy, evidence)).toEqual(expected);
  });
});

describe("one that nobody measures, which others call as well", () => {
  const among = (callers: readonly string[], more: readonly (readonly [string, string])[] = []): Topology => ({
    edges: [["cart", "bank"], ...callers.map((one) => [one, "bank"] as const), ...more],
    external: ["bank"],
  });
  const one = { caller: "orders", callee: "bank", confidence: 1 } as const;
  const traffic = { at: ONSET, perSecond: 3 };
  const well = recorded("orders", "errors and latency");
  const failing = (name: string) => recorded(name, "errors and latency, failing since the onset");

  it.each<readonly [string, Topology, readonly Series[], boolean]>([
    ["is well where another caller is", among(["orders"]), well, true],
    ["is unseen where nobody else calls it", among([]), well, false],
    ["is unseen where the other caller fails too", among(["orders"]), failing("orders"), false],
    ["is unseen where one of two others fails", among(["orders", "mail"]), [...well, ...failing("mail")], false],
    [
      "is well where one of two others is, and the other fails as a caller of the changed service",
      among(["orders", "web"], [["web", "cart"]]),
      [...well, ...failing("web")],
      true,
    ],
    [
      "is unseen where the other caller is asked too little",
      among(["orders"]),
      recorded("orders", "errors of three requests a minute"),
      false,
    ],
    [
      "is unseen where the other caller fell silent",
      among(["orders"]),
      recorded("orders", "errors and latency, silent since the onset"),
      false,
    ],
    ["is unseen where the other caller is not measured", among(["orders"]), [], false],
    [
      "is unseen where the other caller's address of it is only in a template",
      { ...among(["orders"]), details: [{ ...one, source: "template", confidence: 0.5 }] },
      well,
      false,
    ],
    [
      "is well where the other caller was seen to call it",
      { ...among(["orders"]), details: [{ ...one, source: "mesh", traffic }] },
      well,
      true,
    ],
  ])("%s", (_, topology, around, isWell) => {
    expect(unseenCallees(deploy, seen(topology, around))).toEqual(isWell ? [] : ["bank"]);
  });

  it("is never seen to be well by callers of which one outside the service's own callers fails", () => {
    const how = fc.constantFrom<Recorded>("errors and latency", "errors alone", "latency alone");
    fc.assert(
      fc.property(fc.array(how, { maxLength: 2 }), fc.boolean(), (others, isFirst) => {
        const names = others.map((_, i) => `other-${i}`);
        const callers = isFirst ? ["failing", ...names] : [...names, "failing"];
        const around = [...others.flatMap((one, i) => recorded(`other-${i}`, one)), ...failing("failing")];
        expect(unseenCallees(deploy, seen(among(callers), around))).toEqual(["bank"]);
      }),
    );
  });
});

describe("traces of calls to one that nobody measures", () => {
  const span = (trace: number, service: string, replaced: Partial<Span> = {}): Span => ({
    traceId: `${trace}`,
    spanId: `${trace}-${service}`,
    service,
    name: "call",
    startUs: (trace < 0 ? ONSET - 10 * MINUTE - trace * 1000 : ONSET + MINUTE + trace * 1000) * 1000,
    durationUs: 20_000 + Math.abs(trace) * 10,
    error: false,
    ...replaced,
  });
  const requests = (first: number, count: number, failed: boolean, bank: Partial<Span> | null): readonly Span[] =>
    Array.from({ length: count }, (_, i) => first + i).flatMap((trace) => [
      span(trace, "cart", { error: failed }),
      ...(bank === null ? [] : [span(trace, "bank", { parentId: `${trace}-cart`, ...bank })]),
    ]);
  const before = requests(-60, 40, false, {});
  /** Requests of which the caller itself tells whether it called, and how that ended. */
  const asked = (first: number, count: number, failed: boolean, call: Partial<Span> | null): readonly Span[] =>
    Array.from({ length: count }, (_, i) => first + i).flatMap((trace) => [
      span(trace, "cart", { error: failed }),
      ...(call === null ? [] : [span(trace, "cart", { spanId: `${trace}-client`, callee: "bank", ...call })]),
    ]);
  it.each<readonly [string, readonly Span[], boolean]>([
    ["acquit it where it answered in the requests that failed", [...before, ...requests(1, 3, true, {})], true],
    ["accuse it where it failed in them", [...before, ...requests(1, 3, true, { error: true })], false],
    [
      "say nothing where it failed in as many as it answered in",
      [...before, ...requests(1, 2, true, {}), ...requests(5, 2, true, { error: true })],
      false,
    ],
    ["say nothing where it was not reached in them", [...before, ...requests(1, 9, true, null)], false],
    [
      "acquit it where nothing fails and its calls take as long as before",
      [...before, ...requests(1, 20, false, {})],
      true,
    ],
    [
      "accuse it where nothing fails and its calls take longer",
      [...before, ...requests(1, 20, false, { durationUs: 90_000 })],
      false,
    ],
    ["say nothing of what came before", before, false],
    [
      "acquit it by the caller's own spans as well",
      [
        ...before,
        ...requests(1, 3, true, null),
        ...[1, 2, 3].map((trace) => span(trace, "cart", { spanId: `${trace}-client`, callee: "bank" })),
      ],
      true,
    ],
    [
      "acquit it where the caller, which tells of each call, failed without one while others were answered",
      [...before, ...asked(1, 9, false, { error: false }), ...asked(20, 3, true, null)],
      true,
    ],
    [
      "say nothing of requests without a call where the caller's other calls fail",
      [...before, ...asked(1, 9, true, { error: true }), ...asked(20, 20, true, null)],
      false,
    ],
    [
      "say nothing where the caller stopped calling it, as behind an open breaker",
      [...before, ...asked(-20, 9, false, { error: false }), ...asked(1, 9, true, null)],
      false,
    ],
    [
      "say nothing where a third of the caller's calls fail since, though more requests fail without one",
      [
        ...before,
        ...asked(1, 6, false, { error: false }),
        ...asked(10, 3, true, { error: true }),
        ...asked(20, 20, true, null),
      ],
      false,
    ],
  ])("%s", (_, spans, acquits) => {
    expect(unseenCallees(deploy, seen(calls(["bank"], [], ["bank"]), [], { spans }))).toEqual(acquits ? [] : ["bank"]);
  });
});
