import { expect, it } from "vitest";
import type { WatchLine } from "../../../evals/demo/watch-process.ts";
import { evaluations } from "./judge.ts";

const T0 = Date.parse("2026-03-02T12:00:00Z");
const line = (seconds: number, event: string, looks?: number): WatchLine => ({
  at: new Date(T0 + seconds * 1000).toISOString(),
  event,
  text: "",
  incident: null,
  ...(looks === undefined ? {} : { status: { looks } }),
});
/** A watch that keeps up for a minute, takes six seconds an evaluation in the next, and is not heard of after that. */
const SAID = [
  line(0, "watch.started"),
  line(30, "incident.detected"),
  line(60, "watch.alive", 30),
  line(120, "watch.slow", 40),
];

it.each([
  ["while it keeps up", 10, 50, 20],
  ["while it is slow", 66, 114, 8],
  ["over both", 50, 72, 7],
  ["after it was heard of last, a step each", 120, 140, 10],
  ["before it started, none", -20, 0, 0],
])("evaluations are counted by what the watch says of itself: %s", (_, from, to, count) => {
  expect(evaluations(SAID, T0 + from * 1000, T0 + to * 1000)).toBeCloseTo(count);
});
