/*
 * Proves the truth of a bundle of the independent incident generator before it is written. The incident is simulated again, with
 * the same noise, without the changes that truth calls guilty, and without each other change in turn: the lasting harm must go
 * away with the first and stay with each of the others. Then the recorded series must show the harm to a patient reader.
 */
import type { Series } from "./observe.ts";
import { Skip } from "./random.ts";
import type { Scene } from "./scene.ts";
import { type Noise, type Path, type Result, simulate } from "./simulate.ts";
import type { Grid, Truth } from "./types.ts";

/** How much worse `a` is than `b` from `from` to `to`, summed over services: failures, slowness, pods down, queues, memory. */
function harm(a: Result, b: Result, from: number, to: number): number {
  let total = 0;
  const lo = Math.max(0, Math.floor((from - a.grid.start) / a.grid.dt));
  const hi = Math.min(a.grid.n, Math.floor((to - a.grid.start) / a.grid.dt));
  for (const [name, x] of a.paths) {
    const y = b.paths.get(name) as Path;
    let sum = 0;
    for (let k = lo; k < hi; k++) {
      const at = (p: Path, f: "err" | "p99" | "p50" | "unready" | "mem" | "rate" | "queue"): number =>
        p[f][k] as number;
      sum += 20 * Math.max(0, at(x, "err") - at(y, "err"));
      sum += Math.max(0, Math.log(at(x, "p99") / at(y, "p99"))) + Math.max(0, Math.log(at(x, "p50") / at(y, "p50")));
      sum += Math.max(0, at(x, "unready") - at(y, "unready"));
      sum += 4 * Math.max(0, at(x, "mem") - at(y, "mem"));
      for (const kind of ["cache", "goal"] as const)
        sum += 2 * Math.max(0, Math.log((y.custom[kind][k] as number) / (x.custom[kind][k] as number)));
      sum += Math.max(0, Math.log((at(y, "rate") + 1e-6) / (at(x, "rate") + 1e-6)));
      sum += Math.max(0, Math.log((at(x, "queue") + 50) / (at(y, "queue") + 50)));
    }
    total += sum / Math.max(1, hi - lo);
  }
  return total;
}

export function proveCause(scene: Scene, truth: Truth, grid: Grid, noise: Noise): void {
  const end = Math.min(truth.over ?? scene.w1, scene.w1);
  const begin = truth.onset === null ? end - 600 : Math.max(truth.onset + 0.4 * (end - truth.onset), end - 1500);
  const lasting = (e: { until?: number; shape?: unknown }): boolean => e.until === undefined || e.until > begin;
  const recent = scene.changes
    .filter((c) => scene.effects.some((e) => e.change === c.key && lasting(e)))
    .map((c) => c.key);
  const run = (without: string[]): Result =>
    simulate(scene.system, scene.effects, scene.rollouts, grid, noise, new Set(without));
  const real = run([]);
  const clean = run(recent);
  const loss = harm(real, clean, begin, end);
  if (!truth.faulty) {
    if (loss > 0.12) throw new Skip(`an innocent bundle in which changes do lasting harm (${loss.toFixed(3)})`);
    return;
  }
  if (loss < 0.15) throw new Skip(`harm too small (${loss.toFixed(3)})`);
  const undone = run(truth.targets);
  const left = harm(undone, clean, begin, end);
  if (left > 0.12 * loss + 0.02)
    throw new Skip(`harm stays without the guilty (${left.toFixed(3)} of ${loss.toFixed(3)})`);
  for (const key of recent.filter((k) => k !== truth.culprit && !truth.targets.includes(k))) {
    const still = harm(run([key]), clean, begin, end);
    if (still < 0.85 * loss) throw new Skip("another change matters too");
  }
}

const directions: Record<string, number> = {
  error_rate: 1,
  p50_latency: 1,
  p99_latency: 1,
  health_check_failures: 1,
  memory_usage: 1,
  request_rate: -1,
};

/** The clearest sign, in standard errors, that something is worse after `onset`, and how large it is. */
export function clearest(
  scene: Scene,
  series: Series[],
  onset: number,
  end: number,
  only?: Set<string>,
): { z: number; what: string } {
  let best = { z: 0, what: "" };
  for (const s of series) {
    if (s.step !== scene.profile.step || (only !== undefined && !only.has(s.service))) continue;
    // A busy processor alone is nobody's harm.
    if (s.metric === "cpu_usage" || (directions[s.metric] === undefined && s.worse !== "up" && s.worse !== "down"))
      continue;
    const side = directions[s.metric] ?? (s.worse === "down" ? -1 : 1);
    const logs = s.metric.endsWith("latency");
    const value = (v: number): number => (logs ? Math.log(Math.max(v, 0.01)) : v);
    const before: number[] = [];
    const after: number[] = [];
    s.values.forEach((v, i) => {
      const t = s.start + i * s.step;
      if (v === null) return;
      if (t <= onset) before.push(value(v));
      else if (t > onset + 0.25 * (end - onset) && t <= end) after.push(value(v));
    });
    if (s.labels !== undefined) {
      // Two versions side by side: the newcomer against the other.
      const other = series.find(
        (x) =>
          x !== s &&
          x.service === s.service &&
          x.metric === s.metric &&
          x.labels !== undefined &&
          x.start === s.start &&
          x.step === s.step,
      );
      if (other === undefined || s.start < onset - 300) continue;
      before.push(...other.values.flatMap((v) => (v === null ? [] : [value(v)])));
    }
    if (before.length < 5 || after.length < 4) continue;
    const mean = (x: number[]): number => x.reduce((a, v) => a + v, 0) / x.length;
    const sd = (x: number[], m: number): number => Math.sqrt(x.reduce((a, v) => a + (v - m) ** 2, 0) / x.length);
    const mb = mean(before);
    const ma = mean(after);
    const floor = logs
      ? 0.06
      : s.metric === "error_rate"
        ? 0.002
        : s.metric === "health_check_failures"
          ? 0.2
          : 0.02 * Math.abs(mb) + 0.005;
    const shift = side * (ma - mb);
    const enough = logs
      ? 0.2
      : s.metric === "error_rate"
        ? 0.004
        : s.metric === "health_check_failures"
          ? 1
          : s.metric.endsWith("usage")
            ? 0.08
            : 0.15 * Math.abs(mb);
    if (shift < enough) continue;
    const error = Math.sqrt(
      ((sd(before, mb) + floor) ** 2 * 3) / before.length + ((sd(after, ma) + floor) ** 2 * 3) / after.length,
    );
    const z = shift / error;
    if (z > best.z) best = { z, what: `${s.service} ${s.metric}` };
  }
  return best;
}
