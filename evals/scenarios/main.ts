import { join } from "node:path";
import { parseArgs } from "node:util";
import { createDraw } from "./draw.ts";
import { families, generateBundle, SETS } from "./generate.ts";
import { atStep, sparse, withoutLogs, withoutVersionSplit } from "./variants.ts";
import { writeBundle } from "./write.ts";

const USAGE = `node evals/scenarios/main.ts --seed N --count K [--families ${SETS.join("|")} | --family F…] [--step 15|60]
  [--without logs|versions|history]… -o DIR
  Writes K incident bundles, families in turn, each into DIR/<family>-<seed>. The same arguments give the same bytes.
  Families, shown (the default): ${families().join(", ")}
  Fleet, several faults and many services at once: ${families("fleet").join(", ")}
  Held out: ${families("held-out").join(", ")}
  Held out, the second set, which nobody should know by name before it is scored: ${families("held-out-b").length} families
`;

function options() {
  return parseArgs({
    options: {
      seed: { type: "string", default: "1" },
      count: { type: "string" },
      families: { type: "string" },
      family: { type: "string", multiple: true },
      step: { type: "string", default: "15" },
      without: { type: "string", multiple: true, default: [] },
      out: { type: "string", short: "o" },
      help: { type: "boolean", default: false },
    },
  }).values;
}

function main(): number {
  let values: ReturnType<typeof options>;
  try {
    values = options();
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  if (values.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const which = SETS.find((one) => one === (values.families ?? "shown"));
  const names = values.family ?? families(which);
  const [seed, count, step] = [Number(values.seed), Number(values.count ?? names.length), Number(values.step)];
  const unknown = names.filter((name) => !families("all").includes(name));
  const problem =
    values.out === undefined
      ? "-o DIR is missing"
      : !Number.isInteger(seed) || !Number.isInteger(count) || count < 1
        ? "--seed and --count take whole numbers"
        : step % 15 !== 0 || step < 15
          ? "--step takes a multiple of 15, in seconds"
          : which === undefined
            ? `--families takes ${SETS.join(", ")}`
            : values.families !== undefined && values.family !== undefined
              ? "--family and --families exclude each other"
              : unknown.length > 0
                ? `there is no family ${unknown.join(", ")}`
                : values.without.some((part) => !["logs", "versions", "history"].includes(part))
                  ? "--without takes logs, versions or history"
                  : null;
  if (problem !== null || values.out === undefined) return refuse(problem ?? "");
  const seeds = createDraw(`seeds/${seed}`);
  for (let index = 0; index < count; index++) {
    const family = names[index % names.length] ?? "";
    const own = seeds.integer(0, 2 ** 31 - 1);
    let files = generateBundle(family, own);
    if (values.without.includes("logs")) files = withoutLogs(files);
    if (values.without.includes("versions")) files = withoutVersionSplit(files);
    if (values.without.includes("history")) files = sparse(files);
    writeBundle(join(values.out, `${family}-${own}`), atStep(files, step));
    if (process.stderr.isTTY) process.stderr.write(`\r${index + 1}/${count} ${family}\u001b[K`);
  }
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  return 0;
}

function refuse(problem: string): number {
  process.stderr.write(`${problem}\n${USAGE}`);
  return 2;
}

if (import.meta.main) process.exitCode = main();
