// The command that writes an independently made test set of incident bundles: `node gen.ts --seed N --count K -o DIR`.
// The same seed gives the same bundles. `--family NAME` makes bundles of one family only, `--list` shows the families
// with their weights, and `--hotfix-targets empty` leaves the target set empty where the right answer is a hotfix.
import { mkdirSync } from "node:fs";
import { FAMILIES, makeBundle, type Options } from "./bundle.ts";
import { OUTSIDE_FAMILIES } from "./families-outside.ts";
import { QUIET_FAMILIES } from "./families-quiet.ts";

function option(name: string, short?: string): string | undefined {
  const i = process.argv.findIndex((a) => a === name || a === short);
  return i < 0 ? undefined : process.argv[i + 1];
}

function list(): void {
  const total = FAMILIES.reduce((a, f) => a + f.weight, 0);
  const innocent = [...OUTSIDE_FAMILIES, ...QUIET_FAMILIES].reduce((a, f) => a + f.weight, 0);
  for (const f of FAMILIES)
    console.log(`${f.name.padEnd(26)} ${((100 * f.weight) / total).toFixed(1).padStart(4)} %  ${f.about}`);
  console.log(
    `${FAMILIES.length} families; ${(100 * (1 - innocent / total)).toFixed(0)} % of bundles have a guilty change`,
  );
}

if (process.argv.includes("--list")) list();
else {
  const dir = option("-o", "--out");
  const count = Number(option("--count") ?? 100);
  const seed = option("--seed") ?? "1";
  if (!dir || !Number.isInteger(count) || count < 1) {
    console.error("usage: node gen.ts --seed N --count K -o DIR [--family NAME] [--hotfix-targets empty] | --list");
    process.exit(2);
  }
  const family = option("--family");
  const o: Options = { ...(family ? { family } : {}), emptyHotfixTargets: option("--hotfix-targets") === "empty" };
  mkdirSync(dir, { recursive: true });
  const seen = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const t = makeBundle(seed, i, dir, o);
    seen.set(t.family, (seen.get(t.family) ?? 0) + 1);
    if (process.stderr.isTTY) process.stderr.write(`\r${i + 1}/${count} `);
  }
  if (process.stderr.isTTY) process.stderr.write("\n");
  for (const [name, n] of [...seen].sort((a, b) => b[1] - a[1])) console.log(`${String(n).padStart(4)} ${name}`);
}
