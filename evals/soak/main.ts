import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { quantile } from "../replay/score.ts";
import type { SoakJudged } from "./judge-soak.ts";
import { soak } from "./soak.ts";

const USAGE = `node evals/soak/main.ts [--seed N] [--minutes M] [-o DIR]
  Two systems that nothing joins, deployed and broken by a seeded schedule for M minutes (default 10) under one watch that is
  never restarted. Exit code 0: each bad deploy was rolled back, no unrelated one, and every incident ended.
`;

/** What a soak came to, in lines. */
export function soakLines({ ok, reasons, figures }: SoakJudged, seed: number): readonly string[] {
  const { bad, undone, innocent, innocentUndone, incidents, open, overlapping, secondsToUndo } = figures;
  const median = quantile(secondsToUndo, 0.5);
  return [
    `seed ${seed}: ${undone} of ${bad} bad deploys rolled back (${overlapping} while another system was degraded), ${innocentUndone} of ${innocent} unrelated ones`,
    `  half of them within ${median === null ? "–" : median.toFixed(1)} s; ${incidents} incidents, ${open} still open`,
    ...reasons.map((reason) => `  ${reason}`),
    ok ? "well" : "NOT well",
  ];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      minutes: { type: "string", default: "10" },
      out: { type: "string", short: "o" },
    },
  });
  const [seed, minutes] = [Number(values.seed), Number(values.minutes)];
  if (!Number.isInteger(seed) || !(minutes > 0)) {
    process.stderr.write(`--seed takes a whole number, --minutes a positive one\n${USAGE}`);
    return 2;
  }
  const abort = new AbortController();
  process.once("SIGINT", () => abort.abort());
  const directory = values.out ?? mkdtempSync(join(tmpdir(), "unship-soak-"));
  const judged = await soak({ seed, minutes, directory }, (line) => process.stderr.write(`${line}\n`), abort.signal);
  for (const line of soakLines(judged, seed)) process.stdout.write(`${line}\n`);
  return judged.ok ? 0 : 1;
}

if (import.meta.main) process.exitCode = await main();
