import { z } from "zod";

/** As much of `/api/v1/targets` as is needed. `scrapeInterval`: a duration as Prometheus prints it, "1m30s". */
export const ActiveTargets = z.object({
  data: z.object({ activeTargets: z.array(z.object({ scrapeInterval: z.string().optional() })) }),
});

/**
 * How often most targets are scraped, ms: the median, so that a few slow jobs (probes, exporters of batch systems) do not
 * lengthen the window of all; null where none says.
 */
export function usualInterval({ data }: z.infer<typeof ActiveTargets>): number | null {
  const all = data.activeTargets
    .map(({ scrapeInterval }) => durationMs(scrapeInterval ?? ""))
    .filter((interval) => interval > 0)
    .sort((a, b) => a - b);
  return all[Math.floor(all.length / 2)] ?? null;
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function durationMs(text: string): number {
  return [...text.matchAll(/(\d+)(ms|[smhd])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit ?? ""] ?? 0),
    0,
  );
}
