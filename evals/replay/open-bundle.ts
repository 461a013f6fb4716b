import { sourcesWithoutSecrets } from "../../agent/compose/without-secrets.ts";
import type { Config } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import type { Gap } from "../../core/model/assessment.ts";
import { rfc3339 } from "../../core/model/time.ts";
import type { Clock, Sources } from "../../core/ports.ts";
import { readBundle } from "./bundle.ts";
import { bundleSources, standingGaps } from "./bundle-sources.ts";
import type { Warn } from "./bundle-text.ts";
import { configFor } from "./seed-config.ts";

export interface OpenBundle {
  readonly sources: Sources;
  readonly clock: Clock;
  readonly config: Config;
  /** What its sources left out of every answer. */
  readonly gaps: () => readonly Gap[];
}

/** A recorded incident as it stood at `at` (Unix ms; default: the end of its watch), for one look by `config` or the seed's. */
export async function openBundle(
  directory: string,
  at: number | undefined,
  config?: string,
  warn: Warn = () => undefined,
): Promise<OpenBundle> {
  const bundle = readBundle(directory, warn);
  const { start, end } = bundle.incident.watch;
  const now = at ?? end;
  if (now < start || now > end) {
    throw new UnshipError("input.invalid", {
      what: "--at",
      reason: `${rfc3339(now)} is not between ${rfc3339(start)} and ${rfc3339(end)}`,
    });
  }
  const clock: Clock = { now: () => now };
  const sources = sourcesWithoutSecrets(bundleSources(bundle, clock, new Map()));
  return { sources, clock, config: configFor(bundle, config, undefined), gaps: () => standingGaps(bundle) };
}
