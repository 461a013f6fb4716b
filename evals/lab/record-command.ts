import { basename, resolve } from "node:path";
import { z } from "zod";
import { type Composition, EXIT, type ExitCode, type OpenSources } from "../../agent/cli/composition.ts";
import { present } from "../../agent/cli/output.ts";
import type { Config } from "../../core/config/config.ts";
import { UnshipError } from "../../core/errors.ts";
import { rfc3339, type Window } from "../../core/model/time.ts";
import { type Recording, readRecording } from "../record/read-recording.ts";
import { refuseTaken, writeBundle } from "../record/write-bundle.ts";
import { createProgress } from "./progress.ts";

const Options = z.looseObject({
  config: z.string(),
  from: z.number(),
  to: z.number(),
  output: z.string(),
  json: z.union([z.boolean(), z.string()]).optional(),
});

/** `unship record`: a span of the past out of the live sources into a bundle, secrets scrubbed. It only reads. */
export async function recordCommand(
  to: Composition,
  given: Record<string, unknown>,
  abort: AbortSignal,
): Promise<ExitCode> {
  const { config: file, from, to: until, output, json } = Options.parse(given);
  const window = pastWindow(from, until, to.now());
  refuseTaken(output);
  const { config } = await to.config({ config: file }, "sources");
  const recording = await recordPast(to, config, basename(resolve(output)), window, abort);
  writeBundle(recording.bundle, output);
  const { bundle, gaps } = recording;
  const told = {
    directory: output,
    id: bundle.incident.id,
    watch: { start: rfc3339(window.from), end: rfc3339(window.to) },
    services: bundle.incident.services.length,
    series: bundle.series.length,
    samples: samplesOf(recording),
    changes: bundle.changes.length,
    logs: bundle.logs.length,
    spans: bundle.spans.length,
    alerts: bundle.alerts.length,
    gaps,
  };
  await present(to, json, told, [
    `${output}: ${told.samples} samples of ${told.series} series of ${told.services} services, ${told.changes} changes, ${told.logs} log lines, ${told.spans} spans, ${told.alerts} alerts`,
    "Secrets are redacted; read it before you hand it on.",
    ...gapLines(recording),
  ]);
  return EXIT.ok;
}

/** The span as it was asked for. Throws "input.invalid" for one that is none, or that is not past yet. */
export function pastWindow(from: number, to: number, now: number): Window {
  const wrong =
    from >= to
      ? `${rfc3339(from)} is not before ${rfc3339(to)}`
      : to > now
        ? `${rfc3339(to)} lies ahead: it is ${rfc3339(now)}`
        : null;
  if (wrong !== null) throw new UnshipError("input.invalid", { what: "--from, --to", reason: wrong });
  return { from, to };
}

/** Reads a span of the past from the configured sources, with a bar where somebody looks. Opens no executor. */
export async function recordPast(
  to: Composition,
  config: Config,
  id: string,
  window: Window,
  abort: AbortSignal,
): Promise<Recording> {
  const system: OpenSources = await to.sources(config);
  const progress = createProgress({
    write: to.terminal.err,
    isTty: process.stderr.isTTY === true,
    now: () => performance.now(),
  });
  try {
    const { bundle } = await readRecording(system.sources, config, { id, window, onAnswer: progress.step }, abort);
    const gaps = [...bundle.gaps, ...system.gaps()];
    return { bundle: { ...bundle, gaps }, gaps };
  } finally {
    progress.end();
    await system.close();
  }
}

export const samplesOf = ({ bundle }: Recording): number =>
  bundle.series.reduce((sum, { values }) => sum + values.length, 0);

export function gapLines({ gaps }: Recording): readonly string[] {
  if (gaps.length === 0) return [];
  return [
    "Missing (unknown, not empty):",
    ...gaps.map(({ source, what, because }) => `  ${source}: ${what}: ${because}`),
  ];
}
