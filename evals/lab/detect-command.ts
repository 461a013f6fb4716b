import { z } from "zod";
import { type Composition, EXIT, type ExitCode } from "../../agent/cli/composition.ts";
import { plain, say } from "../../agent/cli/output.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { type Found, findingsOf, scoreSeries } from "../detect/detect-series.ts";
import { type FileSeries, readSeriesOf } from "../detect/read-series.ts";
import { exampleConfig } from "../replay/seed-config.ts";
import { createProgress } from "./progress.ts";

const Options = z.looseObject({ json: z.union([z.boolean(), z.string()]).optional() });

/** `unship detect`: per series what was found and how strange each sample is; one JSON line a series with `--json`. */
export async function detectCommand(
  to: Composition,
  files: readonly string[],
  given: Record<string, unknown>,
  abort: AbortSignal,
): Promise<ExitCode> {
  const { json } = Options.parse(given);
  const warn = (warning: string) => to.terminal.err(`${plain(warning)}\n`);
  const read = files.map((file) => readSeriesOf(file, warn));
  const all = read.reduce((sum, { length }) => sum + length, 0);
  const progress = createProgress({
    write: to.terminal.err,
    isTty: process.stderr.isTTY === true,
    now: () => performance.now(),
  });
  const config = exampleConfig();
  const lines: string[] = [];
  let done = 0;
  for (const ofFile of read) {
    for (const series of ofFile) {
      // Everything here is work of this thread: without a turn of the event loop no signal would ever be heard.
      await new Promise(setImmediate);
      abort.throwIfAborted();
      const [scores, findings] = [scoreSeries(series), findingsOf(series, ofFile, config)];
      if (json === true) to.terminal.out(`${jsonLine(series, scores, findings)}\n`);
      else say(to, words(series, scores, findings));
      if (typeof json === "string") lines.push(`${jsonLine(series, scores, findings)}\n`);
      done += 1;
      progress.step(done, all, series.file);
    }
  }
  progress.end();
  if (typeof json === "string") await to.writeFile(json, lines.join(""));
  return EXIT.ok;
}

const PLACES = 1e6;

/** Scores stand in the order of the file's samples, which need not be that of their times. */
function jsonLine(
  { file, named, places }: FileSeries,
  inTime: readonly (number | null)[],
  findings: readonly Found[],
): string {
  const scores = [...inTime];
  for (const [index, place] of (places ?? []).entries()) scores[place] = inTime[index] ?? null;
  const labels = named === null || Object.keys(named.labels).length === 0 ? {} : { labels: named.labels };
  return JSON.stringify({
    file,
    ...(named === null ? {} : { service: named.service, metric: named.metric }),
    ...labels,
    scores: scores.map((score) => (score === null ? null : Math.round(score * PLACES) / PLACES)),
    findings: findings.map(({ onset, detectedAt, kind }) => ({
      onset: rfc3339(onset),
      detected_at: rfc3339(detectedAt),
      kind,
    })),
  });
}

const STRANGEST = 3;

function words(series: FileSeries, scores: readonly (number | null)[], findings: readonly Found[]): readonly string[] {
  const { file, named, values, times } = series;
  const labels = Object.entries(named?.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const name =
    named === null ? "" : ` ${named.metric} of ${named.service}${labels.length === 0 ? "" : ` (${labels.join(", ")})`}`;
  const missing = values.filter((value) => value === null).length;
  const strangest = scores
    .flatMap((score, index) => (score === null || score === 0 ? [] : [{ score, index }]))
    .toSorted((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, STRANGEST);
  return [
    `${file}${name}: ${values.length} samples${missing === 0 ? "" : `, ${missing} missing`}`,
    ...findings.map(
      ({ kind, onset, detectedAt, because }) =>
        `  ${kind} since ${rfc3339(onset)}, found ${rfc3339(detectedAt)}: ${because}`,
    ),
    ...(findings.length === 0 ? ["  nothing found"] : []),
    ...strangest.map(
      ({ score, index }) => `  strange: ${score.toFixed(3)} at ${rfc3339(times[index] ?? 0)}, value ${values[index]}`,
    ),
  ];
}
