import type { Draw } from "../draw.ts";
import { DAY, type Grid, HOUR, MINUTE, type SystemModel, type Traffic } from "./model.ts";

/** The slow randomness of one run, drawn once: the same for every "what if" of it. Logarithms, mean about zero. */
export interface Wander {
  /** Of the load from outside, one for the whole system. */
  readonly load: Float64Array;
  readonly latency: ReadonlyMap<string, Float64Array>;
  readonly errors: ReadonlyMap<string, Float64Array>;
  readonly memory: ReadonlyMap<string, Float64Array>;
  readonly cpu: ReadonlyMap<string, Float64Array>;
}

/**
 * A stationary first-order autoregression on a grid: spread σ, correlation exp(−Δ/τ) between samples Δ apart, so that the
 * same process is drawn whatever the step.
 */
export function autoregression(draw: Draw, grid: Grid, spread: number, correlationSeconds: number): Float64Array {
  const phi = Math.exp(-grid.stepMs / 1000 / correlationSeconds);
  const kick = spread * Math.sqrt(1 - phi * phi);
  const values = new Float64Array(grid.length);
  let value = spread * draw.normal();
  for (let index = 0; index < grid.length; index++) {
    values[index] = value;
    value = phi * value + kick * draw.normal();
  }
  return values;
}

export function drawWander(draw: Draw, system: SystemModel, grid: Grid): Wander {
  const { spread, seconds } = system.traffic.wander;
  const load = autoregression(draw.stream("load"), grid, spread, seconds);
  addBursts(draw.stream("bursts"), system.traffic, grid, load);
  const each = (what: string, spreadOf: (service: SystemModel["services"][number]) => number, factor = 1) =>
    new Map(
      system.services.map((service) => [
        service.name,
        autoregression(
          draw.stream(`${what}/${service.name}`),
          grid,
          spreadOf(service),
          service.wander.seconds * factor,
        ),
      ]),
    );
  return {
    load,
    latency: each("latency", ({ wander }) => wander.latency),
    errors: each("errors", ({ wander }) => wander.errors),
    memory: each("memory", () => 0.02, 4),
    cpu: each("cpu", () => 0.03),
  };
}

function addBursts(draw: Draw, traffic: Traffic, grid: Grid, load: Float64Array): void {
  if (traffic.burstsPerHour === 0) return;
  const end = grid.start + grid.length * grid.stepMs;
  for (let at = grid.start; at < end; at += draw.exponential(HOUR / traffic.burstsPerHour)) {
    const height = Math.log(draw.uniform(1.1, 1.5));
    const fade = draw.uniform(0.5, 2) * MINUTE;
    const first = Math.max(0, Math.ceil((at - grid.start) / grid.stepMs));
    const last = Math.min(grid.length - 1, first + Math.ceil((5 * fade) / grid.stepMs));
    for (let cell = first; cell <= last; cell++) {
      const age = grid.start + cell * grid.stepMs - at;
      load[cell] = (load[cell] ?? 0) + height * Math.exp(-age / fade);
    }
  }
}

/** How busy the outside is at a time, of the weekly mean: time of day, day of week, and the peak that comes every day. */
export function season(traffic: Traffic, at: number): number {
  const hour = (at % DAY) / HOUR;
  const angle = ((hour - traffic.peakHour) / 24) * 2 * Math.PI;
  const daily = 1 + traffic.dailySwing * (0.85 * Math.cos(angle) + 0.15 * Math.cos(2 * angle));
  const weekday = new Date(at).getUTCDay();
  const weekly = weekday === 0 || weekday === 6 ? traffic.weekend : 1;
  return daily * weekly * peak(traffic.daily, hour);
}

/** A daily peak grows and shrinks over a fifth of its length. */
function peak(daily: Traffic["daily"], hour: number): number {
  if (daily === null) return 1;
  const into = ((hour - daily.atHour + 24) % 24) * 60;
  if (into > daily.minutes) return 1;
  const edge = daily.minutes / 5;
  return 1 + (daily.factor - 1) * Math.min(1, into / edge, (daily.minutes - into) / edge);
}
