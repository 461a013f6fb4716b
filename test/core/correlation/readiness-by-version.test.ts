import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readinessByVersion } from "../../../core/correlation/readiness-by-version.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import type { Series } from "../../../core/model/signal.ts";
import { change, MINUTE, T0 } from "./fixtures.ts";

const STEP = 15_000;
const STRONG = Math.log(20);
const deploy = change({ finishedAt: T0 + 10 * MINUTE });

/** What one look saw of a pod, by seconds since the rollout began: ready, failing, or not counted (it starts, or is gone). */
type Seen = (second: number) => "ready" | "failing" | "not counted";

const pod = (name: string, version: string, seen: Seen): Series => ({
  service: "cart",
  metric: "health_check_failures",
  unit: "count",
  worse: "up",
  labels: { pod: `shop/${name}`, version },
  startAt: T0 - 10 * MINUTE,
  stepMs: STEP,
  values: Array.from({ length: 81 }, (_, i) => {
    const state = seen((i - 40) * (STEP / 1000));
    return state === "not counted" ? null : state === "failing" ? 1 : 0;
  }),
});
const old = (name: string, failsAt = Number.POSITIVE_INFINITY): Series =>
  pod(name, "v1.0.0", (second) => (second >= failsAt ? "failing" : "ready"));
const fresh = (name: string, readyAt: number, isFailing: (second: number) => boolean): Series =>
  pod(name, "v1.1.0", (second) => (second < readyAt ? "not counted" : isFailing(second) ? "failing" : "ready"));
const from = (start: number) => (second: number) => second >= start;
const never = () => false;

const nats = (series: readonly Series[]): number => readinessByVersion(deploy, indexSeries(series, "version"));
const six = ["a", "b", "c", "d", "e", "f"].map((name) => old(name));

/** Two of eight pods are new; they fail ninety seconds and three minutes after they were ready. */
const bad = [fresh("y", 30, from(120)), fresh("z", 30, from(210))];

describe("readiness by version", () => {
  it("tells a version whose pods fail one after the other, while those of the old one stay ready", () => {
    expect(nats([...six, ...bad])).toBeGreaterThan(STRONG);
  });

  it("takes no pod that failed before the rollout for one that fails in it", () => {
    expect(nats([...six, old("g", -60), ...bad])).toBe(nats([...six, ...bad]));
  });

  it("counts pods that fail while they are cold, and still do when they are warm, from when they began to", () => {
    const cold = [fresh("y", 30, from(45)), fresh("z", 120, from(150))];
    expect(nats([...six, ...cold])).toBeGreaterThan(STRONG);
  });

  it.each([
    ["one pod of it fails, however long", [...six, old("g"), fresh("z", 30, from(120))]],
    ["one pod of it fails again and again", [...six, fresh("y", 30, never), fresh("z", 30, (s) => s % 60 >= 30)]],
    [
      "its pods fail at one moment, as those of a lost node do",
      [...six, fresh("y", 30, from(120)), fresh("z", 30, from(135))],
    ],
    ["its pods were never ready", [...six, fresh("y", 60, from(60)), fresh("z", 120, from(120))]],
    [
      "its pods are not ready for a while as they start, each in its turn",
      [...six, ...[0, 90, 180, 270].map((at) => fresh(`start-${at}`, at, (s) => s < at + 60))],
    ],
    [
      "its pods fail some checks while they are cold, each in its turn",
      [...six, ...[0, 90, 180, 270].map((at) => fresh(`cold-${at}`, at, (s) => s >= at + 15 && s < at + 45))],
    ],
    ["a pod of the old version fails too", [...six.slice(1), old("a", 165), ...bad]],
    [
      "pods of both fail at one moment",
      [...six.slice(1), old("a", 120), fresh("y", 30, from(120)), fresh("z", 30, from(120))],
    ],
    ["a pod of the old version fails some checks, and goes on to", [...six.slice(1), old("a", 240), ...bad]],
    ["no old pod is there any more", bad],
    [
      "its checks are known as a sum over its pods alone",
      [
        { ...pod("", "v1.1.0", (s) => (s > 0 ? "failing" : "ready")), labels: { version: "v1.1.0" } },
        { ...pod("", "v1.0.0", () => "ready"), labels: { version: "v1.0.0" } },
      ],
    ],
    ["they fail after the rollout", [...six, fresh("y", 30, from(630)), fresh("z", 30, from(690))]],
  ])("tells none where %s", (_, series) => {
    expect(nats(series)).toBeLessThan(STRONG);
  });

  it("reads what is known of pods whatever label names versions elsewhere", () => {
    const index = indexSeries([...six, ...bad], "app_version");
    expect(readinessByVersion(deploy, index)).toBe(nats([...six, ...bad]));
  });

  it("says no more for pods that go on failing than for the same pods when they began to", () => {
    const lasting = fc.integer({ min: 1, max: 30 });
    fc.assert(
      fc.property(lasting, lasting, (first, second) => {
        const end = (start: number, steps: number) => (s: number) => s >= start && s < start + steps * 15;
        const short = nats([...six, fresh("y", 30, end(120, first)), fresh("z", 30, end(240, second))]);
        // One that is ready again is one more pod that could have failed: the other one's failure says no less then.
        expect(short).toBeLessThanOrEqual(nats([...six, fresh("y", 30, from(120)), fresh("z", 30, from(240))]) + 1e-9);
      }),
    );
  });

  /** Every order in which `left` more of these pods may fail, a minute and a half apart. */
  function orders(count: number, left: number): readonly (readonly number[])[] {
    if (left === 0) return [[]];
    return orders(count, left - 1).flatMap((order) =>
      Array.from({ length: count }, (_, i) => i)
        .filter((i) => !order.includes(i))
        .map((i) => [...order, i]),
    );
  }

  it.each([
    [4, 1],
    [4, 2],
    [6, 2],
    [8, 2],
    [6, 3],
  ])("is strong evidence in at most one time of twenty where any of %i pods fails, %i of them new", (count, isNew) => {
    const found = orders(count, 3).map((order) => {
      const failsAt = (i: number) => (order.includes(i) ? 120 + 90 * order.indexOf(i) : Number.POSITIVE_INFINITY);
      return nats(
        Array.from({ length: count }, (_, i) =>
          i < isNew ? fresh(`pod-${i}`, 15, from(failsAt(i))) : old(`pod-${i}`, failsAt(i)),
        ),
      );
    });
    expect(found.filter((one) => one >= STRONG).length / found.length).toBeLessThanOrEqual(1 / 20);
    const mean = found.reduce((sum, one) => sum + Math.exp(one), 0) / found.length;
    expect(mean).toBeLessThanOrEqual(1 + 1e-9);
  });
});
