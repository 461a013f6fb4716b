import { z } from "zod";

/** JSON has no infinity: the last bound of a histogram is null there, and a figure that can be no measurement. */
const Bound = z
  .number()
  .nullable()
  .transform((bound) => bound ?? Infinity);

/** A gauge's values, or a counter's rates a second, over the series of one target. */
const CustomReading = z.object({
  sum: Bound,
  count: z.number(),
  min: Bound,
  max: Bound,
  lacking: z.number().optional().describe("Further series of it whose sample is missing"),
});
export type CustomReading = Readonly<z.infer<typeof CustomReading>>;

const Reading = z.object({
  service: z.string(),
  version: z.string().describe("Empty where nothing says it"),
  elapsedMs: z
    .number()
    .nullable()
    .describe("The span that the increments cover; null where there are none (a first answer, or one after a gap)"),
  requests: z.number().optional(),
  errors: z.number().optional(),
  duration: z
    .object({ bounds: z.array(Bound), counts: z.array(z.number()) })
    .optional()
    .describe("Cumulative increments at ascending bounds in seconds, the last of them +Inf"),
  cpuSeconds: z.number().optional(),
  cpuLimitCores: z.number().optional(),
  memoryBytes: z.number().optional(),
  memoryLimitBytes: z.number().optional(),
  custom: z.record(z.string(), CustomReading).optional(),
});

/** What one target adds to one version of one service. Increments are since that target's previous answer. */
export interface Reading {
  readonly service: string;
  readonly version: string;
  readonly elapsedMs: number | null;
  readonly requests?: number | undefined;
  /** Absent beside `requests`: how many of them failed is unknown. */
  readonly errors?: number | undefined;
  readonly duration?: { readonly bounds: readonly number[]; readonly counts: readonly number[] } | undefined;
  readonly cpuSeconds?: number | undefined;
  readonly cpuLimitCores?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly memoryLimitBytes?: number | undefined;
  readonly custom?: Readonly<Record<string, CustomReading>> | undefined;
}

/** What one tick learned: the record that is kept in memory, spooled to disk and read again after a restart. */
export const Tick = z.object({
  at: z.number().describe("Unix ms, as the scheduler counts it"),
  readings: z.array(Reading),
  missing: z
    .array(
      z.object({
        service: z.string(),
        version: z.string(),
        targets: z.number(),
        requests: z
          .literal(true)
          .optional()
          .describe("They answered, and only what they counted of requests is unknown"),
      }),
    )
    .describe("Of each service and version, how many known targets gave no usable answer"),
});
export interface Tick {
  readonly at: number;
  readonly readings: readonly Reading[];
  readonly missing: readonly {
    readonly service: string;
    readonly version: string;
    readonly targets: number;
    readonly requests?: true | undefined;
  }[];
}
