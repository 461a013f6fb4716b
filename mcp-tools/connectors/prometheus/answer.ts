import { z } from "zod";

/**
 * The envelope of every answer of Prometheus' HTTP API. Series are read by hand further on: checking each sample of a
 * big answer against a schema would cost more than all the rest.
 *
 * @see https://prometheus.io/docs/prometheus/latest/querying/api/
 */
export const Answer = z.object({
  status: z.literal("success"),
  data: z.object({ resultType: z.enum(["matrix", "vector", "scalar", "string"]), result: z.array(z.unknown()) }),
  warnings: z.array(z.string()).optional(),
  infos: z.array(z.string()).optional(),
  isPartial: z.boolean().optional().describe("VictoriaMetrics' word for an answer without some of its storage nodes"),
});
export type Answer = z.infer<typeof Answer>;

/** Labels and points of one series. A point: Unix seconds and the value as text. */
export interface RawSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [seconds: number, value: string])[];
}

/** The series of an answer; null where one of them is not of the documented form. */
export function seriesOf({ data }: Answer): readonly RawSeries[] | null {
  if (data.resultType === "scalar") return [{ metric: {}, points: pointsOf([data.result]) ?? [] }];
  if (data.resultType === "string") return null;
  const all: RawSeries[] = [];
  for (const one of data.result) {
    const series = rawSeries(one);
    if (series === null) return null;
    all.push(series);
  }
  return all;
}

/** One series of a matrix or a vector; one that holds histograms alone has no points. Null where it is none. */
export function rawSeries(one: unknown): RawSeries | null {
  if (typeof one !== "object" || one === null || !("metric" in one)) return null;
  const points = pointsOf(
    "values" in one ? one.values : "value" in one ? [one.value] : "histograms" in one ? [] : null,
  );
  const metric = labelsOf(one.metric);
  return points === null || metric === null ? null : { metric, points };
}

/** Prometheus' text of a number → the number; null for NaN, which it writes where there is no answer. */
export function sampleValue(text: string): number | null {
  if (text === "+Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  const value = text === "" ? Number.NaN : Number(text);
  return Number.isNaN(value) ? null : value;
}

function pointsOf(values: unknown): RawSeries["points"] | null {
  if (!Array.isArray(values)) return null;
  for (const point of values) {
    if (!Array.isArray(point) || typeof point[0] !== "number" || typeof point[1] !== "string") return null;
  }
  return values as RawSeries["points"];
}

function labelsOf(metric: unknown): Readonly<Record<string, string>> | null {
  if (typeof metric !== "object" || metric === null) return null;
  for (const value of Object.values(metric)) if (typeof value !== "string") return null;
  return metric as Readonly<Record<string, string>>;
}
