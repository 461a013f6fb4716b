/*
 * Generates held-out incident bundles: `node gen.ts --seed N --count K -o DIR [--family NAME] [--quiet]`. The same seed gives the
 * same bundles, and bundle number i does not depend on how many are asked for. Written independently of the product that it
 * tests, from the bundle format alone; no bundle was ever shown to that product while the generator was written.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeBundle } from "./bundle.ts";
import { calmFamilies } from "./families/calm.ts";
import { causeFamilies } from "./families/causes.ts";
import { deployFamilies } from "./families/deploys.ts";
import type { Family } from "./families/family.ts";
import { outageFamilies } from "./families/outages.ts";
import { Rng, Skip } from "./random.ts";

export const families: Family[] = [...deployFamilies, ...causeFamilies, ...outageFamilies, ...calmFamilies];
const faultyShare = 0.6;

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "20" },
    out: { type: "string", short: "o", default: "bundles" },
    family: { type: "string" },
    quiet: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
  },
});

if (values.list) {
  for (const faulty of [true, false]) {
    const group = families.filter((f) => f.faulty === faulty);
    const sum = group.reduce((a, f) => a + f.weight, 0);
    for (const f of group)
      console.log(
        `${f.name.padEnd(24)} ${faulty ? "faulty" : "      "} ${((100 * f.weight * (faulty ? faultyShare : 1 - faultyShare)) / sum).toFixed(1)} %`,
      );
  }
  process.exit(0);
}

const skips = new Map<string, number>();
for (let i = 0; i < Number(values.count); i++) {
  const draw = new Rng(`${values.seed}/${i}/family`);
  const faulty = draw.chance(faultyShare);
  const family =
    values.family !== undefined
      ? families.find((f) => f.name === values.family)
      : draw.weighted(families.filter((f) => f.faulty === faulty).map((f) => [f.weight, f] as const));
  if (family === undefined)
    throw new Error(`no family ${values.family}; there are ${families.map((f) => f.name).join(", ")}`);
  let made = false;
  for (let attempt = 0; attempt < 120 && !made; attempt++) {
    try {
      const bundle = makeBundle(`${values.seed}/${i}/${family.name}/${attempt}`, family);
      const dir = join(values.out, bundle.id);
      mkdirSync(dir, { recursive: true });
      for (const [name, data] of bundle.files) writeFileSync(join(dir, name), data);
      if (!values.quiet)
        console.log(
          `${bundle.id} ${family.name.padEnd(22)} tries ${attempt + 1} step ${bundle.scene.profile.step} ${bundle.scene.profile.traffic} ${bundle.sign}`,
        );
      made = true;
    } catch (e) {
      if (!(e instanceof Skip)) throw e;
      const reason = `${family.name}: ${e.message.replace(/[\d.]+/g, "#")}`;
      skips.set(reason, (skips.get(reason) ?? 0) + 1);
    }
  }
  if (!made) console.error(`bundle ${i}: ${family.name} did not fit in 120 draws`);
}
if (!values.quiet)
  for (const [reason, n] of [...skips].sort((a, b) => b[1] - a[1]).slice(0, 25)) console.error(`${n} × ${reason}`);
