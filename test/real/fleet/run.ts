import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Fleet, type FleetOptions, startFleet } from "./fleet.ts";
import { ENDS_WITHIN_MS, incidentsTold, judge, type Report } from "./judge.ts";
import type { Entry } from "./troubles.ts";

/** One thing that happens in a run, so many seconds after its start. What is no trouble and no change has no entry. */
export interface Planned {
  readonly at: number;
  readonly act: () => Promise<Entry | null>;
}

/** As long as a good version must have served before it is restored, and then some. */
const WARM_UP_MS = 45_000;
/** An incident that was to be opened by what happened last is open by then. */
const CALM_MS = 15_000;
const POLL_MS = 500;

/**
 * Starts a fleet, lets everything happen at its time, each beside the others, and judges it once the last incident had
 * time to end. Nothing is asserted on the way: whatever went wrong stands in the report.
 */
export async function runFleet(options: FleetOptions, plan: (fleet: Fleet) => readonly Planned[]): Promise<Report> {
  await using fleet = await startFleet(options);
  await wait(WARM_UP_MS);
  const outcomes = await play(plan(fleet));
  await calm(fleet);
  const entries = outcomes.filter((one): one is Entry => one !== null && !(one instanceof Error));
  const failed = outcomes.filter((one) => one instanceof Error).map((error) => `the harness failed: ${error.message}`);
  const report = judge(fleet, entries, Date.now());
  const said = fleet.watch.lines.map((line) => JSON.stringify(line));
  writeFileSync(join(fleet.directory, "watch.jsonl"), said.join("\n"));
  return { ...report, wrong: [...report.wrong, ...failed] };
}

/** Until every incident has ended and nothing was degraded for a while, but no longer than twice what incidents may take to end. */
async function calm(fleet: Fleet): Promise<void> {
  const isCalm = (now: number) =>
    incidentsTold(fleet).every(({ incident }) => incident.closedAt !== null) &&
    fleet.services.every(({ name }) => fleet.truth.degraded(name, now - CALM_MS, now).length === 0);
  for (let rest = 2 * ENDS_WITHIN_MS; rest > 0 && !isCalm(Date.now()); rest -= POLL_MS) await wait(POLL_MS);
}

async function play(planned: readonly Planned[]): Promise<readonly (Entry | null | Error)[]> {
  const start = Date.now();
  return Promise.all(
    planned.map(async ({ at, act }) => {
      await wait(Math.max(0, start + at * 1000 - Date.now()));
      return act().catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
    }),
  );
}

/** The report as text: what happened to each, then all that is wrong. */
export function reportText({ lines, wrong, asked }: Report): string {
  const parts = [
    [`${wrong.length} things are wrong:`, wrong],
    [`${asked.length} bad changes were put before people, and not undone:`, asked],
  ] as const;
  return [...lines, ...parts.flatMap(([title, all]) => ["", title, ...all.map((one) => `- ${one}`)])].join("\n");
}
