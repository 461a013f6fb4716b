import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { HistoryEntry } from "../../../../mcp-tools/connectors/kubernetes/history.ts";
import { replicaSetHistory } from "../../../../mcp-tools/connectors/kubernetes/history.ts";
import { isOwn, markAnnotations, markOf } from "../../../../mcp-tools/connectors/kubernetes/mark.ts";
import { ReplicaSet, WorkloadObject } from "../../../../mcp-tools/connectors/kubernetes/objects.ts";
import { fingerprint, sameTemplate, versionOf } from "../../../../mcp-tools/connectors/kubernetes/template.ts";
import { judge } from "../../../../mcp-tools/connectors/kubernetes/undo-judge.ts";
import { deployment, replicaSet, template, undoTarget } from "./objects.ts";

/** Few versions and revisions, so that accidents (equal tags, reused numbers, stale plans) are frequent. */
const version = fc.constantFrom("1", "2", "3");
const hostNetwork = fc.boolean();
const pods = fc
  .record({ version, hostNetwork })
  .map((one) => template(`cart:${one.version}`, { spec: one.hostNetwork ? { hostNetwork: true } : {} }));
const revision = fc.integer({ min: 1, max: 5 }).map(String);
const histories = fc.uniqueArray(fc.record({ pods, revision, formerly: fc.option(revision, { nil: undefined }) }), {
  selector: ({ revision: number }) => number,
  maxLength: 5,
});
const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
/** Mostly what stands at an index of the history, sometimes anything. */
const place = fc.record({ index: fc.nat(4), other: seldom(fc.record({ version, revision })) });
const rarely = fc.nat(9).map((one) => one === 0);

const cases = fc
  .record({
    histories,
    stray: seldom(pods),
    last: rarely,
    paused: rarely,
    managed: rarely,
    expected: place,
    restore: place,
  })
  .map(({ histories: entries, stray, last, paused, managed, ...places }) => {
    const ordered = entries.toSorted((a, b) => Number(a.revision) - Number(b.revision));
    const at = (index: number) => ordered.at(index % Math.max(1, ordered.length));
    const placed = ({ index, other }: typeof places.expected) => {
      const entry = at(index);
      if (other !== null || entry === undefined) return other ?? { version: "1", revision: "1" };
      return { version: versionOf(entry.pods), revision: entry.revision };
    };
    const now = stray ?? (last ? at(0) : ordered.at(-1))?.pods ?? template("cart:1");
    const newest = ordered.at(-1);
    const expected =
      newest === undefined || last
        ? placed(places.expected)
        : placed({ ...places.expected, index: ordered.length - 1 });
    const restore = placed(places.restore);
    const annotations = managed ? { "argocd.argoproj.io/tracking-id": "a:b" } : {};
    const object = WorkloadObject.parse(
      deployment("cart:1", "1", { metadata: { annotations }, spec: { template: now, paused } }),
    );
    const sets = entries.map(({ pods: of, revision: number, formerly }, index) =>
      ReplicaSet.parse(
        replicaSet("cart:1", number, 0, {
          name: `set-${index}`,
          template: of,
          annotations: formerly === undefined ? {} : { "deployment.kubernetes.io/revision-history": formerly },
        }),
      ),
    );
    return {
      workload: replicaSetHistory("Deployment", object, sets),
      target: undoTarget({ expected, restore }),
      paused,
      managed,
    };
  });

describe("judge", () => {
  it("lets an undo go only from exactly what the plan expects to exactly what it names, and only if that changes something", () => {
    let went = 0;
    fc.assert(
      fc.property(cases, ({ workload, target, paused, managed }) => {
        const verdict = judge(workload, target);
        if (verdict.kind !== "go") return;
        went += 1;
        const { entry } = verdict;
        const current = workload.current as HistoryEntry;
        expect([paused, managed]).toEqual([false, false]);
        expect({ version: current.version, revision: current.revision }).toEqual(target.expected);
        expect({ version: entry.version, revision: entry.revision }).toEqual(target.restore);
        expect(sameTemplate(current.template, workload.object.spec.template)).toBe(true);
        expect(sameTemplate(entry.template, workload.object.spec.template)).toBe(false);
        expect(workload.history.every(({ number }) => number <= current.number)).toBe(true);
      }),
      { numRuns: 1000 },
    );
    expect(went).toBeGreaterThan(50);
  });

  it("says nothing-to-do only where the named version stands, and always with a reason", () => {
    fc.assert(
      fc.property(cases, ({ workload, target }) => {
        const verdict = judge(workload, target);
        if (verdict.kind === "go") return;
        expect(verdict.detail).not.toBe("");
        if (verdict.result === "nothing-to-do")
          expect(versionOf(workload.object.spec.template)).toBe(target.restore.version);
      }),
    );
  });
});

describe("a mark", () => {
  it("counts for the revision and template that it was written for, and for no other", () => {
    fc.assert(
      fc.property(pods, pods, revision, revision, fc.string(), (one, other, number, later, key) => {
        const mark = { key, revision: number, from: "9", to: "1", template: fingerprint(one), at: 0 };
        const read = markOf({ annotations: markAnnotations(mark, "cause") });
        expect(read).toEqual(mark);
        expect(isOwn(read, later, other)).toBe(later === number && sameTemplate(one, other));
      }),
    );
  });

  it.each([
    ["no annotations", {}],
    ["a plan alone", { "unship.dev/plan": "p" }],
    ["text that is no JSON", { "unship.dev/plan": "p", "unship.dev/rollback": "{" }],
    ["JSON of another shape", { "unship.dev/plan": "p", "unship.dev/rollback": '{"revision":7}' }],
  ])("is not read from %s", (_, annotations) => {
    expect(markOf({ annotations })).toBeNull();
  });
});
