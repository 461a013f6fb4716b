import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CalmTime, calmTime } from "../fleet/calm-time.ts";
import type { BenchOutcome, BenchRequest } from "./catalog.ts";
import { clopperPearson, poissonLimits } from "./intervals.ts";

/** Hours of calm time for each number of services: as many service-hours as a quiet machine replays in some minutes. */
const HOURS = [
  [15, 40],
  [100, 12],
  [1000, 2],
] as const;

/** What calm time costs people, by how many services there are; `trials` bounds the hours of each. */
export async function benchCalm({ seed, trials }: BenchRequest): Promise<BenchOutcome> {
  const directory = mkdtempSync(join(tmpdir(), "unship-fleet-calm-"));
  try {
    const calm: CalmTime[] = [];
    for (const [services, hours] of HOURS)
      calm.push(await calmTime(directory, seed, services, Math.min(hours, trials ?? hours)));
    const met = calm.every(({ acts }) => acts === 0);
    const title = `calm time, seed ${seed}; 95 % intervals of Poisson counts`;
    const claim = `claimed: nothing is undone: ${met ? "reached" : "not reached"}`;
    return { lines: [title, ...calm.map(calmText), claim], value: { benchmark: "fleet-calm", seed, calm, met }, met };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function calmText({ services, hours, deploys, incidents, pages, acts }: CalmTime): string {
  const rate = (count: number) => {
    const { lower, upper } = poissonLimits(count);
    return `${(count / hours).toFixed(3)} an hour (${(lower / hours).toFixed(3)}–${(upper / hours).toFixed(3)})`;
  };
  const { upper } = clopperPearson(Math.min(acts, deploys), deploys);
  return `  ${services} services, ${hours} h, ${deploys} deploys: incidents ${rate(incidents)}, pages ${rate(pages)}, undone ${acts} (at most ${upper.toFixed(4)} of the deploys)`;
}
