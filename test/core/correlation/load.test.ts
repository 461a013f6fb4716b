import { describe, expect, it } from "vitest";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { answersAlong, mayBeLoaded } from "../../../core/correlation/surge.ts";
import type { Series } from "../../../core/model/signal.ts";
import { onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const BEFORE = 160;
const USUAL = 50;
/** Traffic wanders by a twentieth, unless said otherwise. */
const WANDERS = 0.05;

/** Cart is asked as usual for 40 minutes, then so many times that, failing this share. */
function world(times: readonly number[], failed: number, wanders = WANDERS) {
  const row = (metric: string, values: readonly number[]): Series => ({
    ...{ service: "cart", metric, unit: "", worse: "up", labels: {}, stepMs: STEP },
    startAt: T0 - (BEFORE - 1) * STEP,
    values: [...values],
  });
  const asked = [...Array.from({ length: BEFORE }, () => 1), ...times].map(
    (one, i) => one * USUAL * (1 + wanders * Math.sin(i)),
  );
  const errors = asked.map((_, i) => (i < BEFORE ? 0.001 : failed));
  return indexSeries([row("request_rate", asked), row("error_rate", errors)], "version");
}
const fill = (level: number, count: number) => Array.from({ length: count }, () => level);

describe("load that may be what a service suffers from", () => {
  it.each<readonly [string, readonly number[], number, boolean]>([
    ["half as much again, and most of it is answered", fill(1.5, 8), 0.1, true],
    ["the same for long, of which the newest samples show less", [...fill(1.5, 60), 1.2, 1.15], 0.1, true],
    ["requests that are tried again until they are answered", fill(1.5, 40), 0.35, false],
    ["a tenth more", fill(1.1, 40), 0.02, false],
    ["a rise that was over soon, while the trouble goes on", [...fill(1.5, 8), ...fill(1, 60)], 0.1, false],
    ["nothing but the trouble", fill(1, 40), 0.3, false],
  ])("%s", (_, times, failed, loaded) => {
    const at = T0 + times.length * STEP;
    expect(mayBeLoaded(world(times, failed), "cart", onsetAt(T0), at)).toBe(loaded);
  });

  it("is told by how many are asked, where what is answered wanders by more than it rose", () => {
    const at = T0 + 40 * STEP;
    expect(mayBeLoaded(world(fill(1.5, 40), 0.1, 0.075), "cart", onsetAt(T0), at)).toBe(true);
  });

  it.each<readonly [string, number, number, boolean]>([
    ["answers more than usual, however little", 1.3, 0.15, true],
    ["answers as many as usual, since it is only asked again", 1.5, 0.36, false],
  ])("a surge of users reaches a service that %s: %d times, failing %d", (_, times, failed, along) => {
    const index = world(fill(times, 20), failed);
    expect(answersAlong(index, "cart", onsetAt(T0), T0 + 20 * STEP)).toBe(along);
  });
});
