import fc from "fast-check";
import { expect, it } from "vitest";
import type { Target } from "../../../core/model/plan.ts";
import { flagOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";
import { UNBOUND } from "./fleet-script.ts";
import { openWatchWorld, type WatchWorld } from "./watch-world.ts";

const NAMES = ["checkout", "cart", "flag"] as const;
type Name = (typeof NAMES)[number];

/** One stretch: what is changed anew, which changes the evidence blames together, whether a person refuses, and then calm. */
interface Stretch {
  readonly changed: readonly Name[];
  readonly blamed: readonly Name[];
  readonly answer: "reject" | "none";
  readonly forPerson: boolean;
  readonly bad: number;
  readonly well: number;
  readonly restart: boolean;
}

const some = (most: number) => fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: most });
const stretch = fc.record<Stretch>({
  changed: fc.oneof(fc.constant([]), some(2)),
  blamed: some(3),
  answer: fc.constantFrom("reject", "none"),
  forPerson: fc.constantFrom(false, false, true),
  bad: fc.constantFrom(2, 4, 20),
  well: fc.constantFrom(0, 14, 60),
  restart: fc.boolean(),
});

const targetAt = (name: Name, version: number): Target =>
  name === "flag"
    ? flagOf({ changeId: `flag-${version}`, expected: { version: String(version), revision: "on" } })
    : targetOf({
        name,
        changeId: `deploy-${name}-${version}`,
        expected: { version: `v${version}`, revision: String(version) },
        restore: { version: `v${version - 1}`, revision: String(version - 1) },
      });

async function play(script: readonly Stretch[]): Promise<WatchWorld> {
  const world = await openWatchWorld({ config: { ...UNBOUND } });
  world.recovery = "recovered";
  const versions = new Map<Name, number>(NAMES.map((name) => [name, 2]));
  const target = (name: Name) => targetAt(name, versions.get(name) ?? 0);
  const put = (name: Name) => world.targets.place(target(name));
  NAMES.forEach(put);
  for (const { changed, blamed, answer, forPerson, bad, well, restart } of script) {
    for (const name of changed) {
      versions.set(name, (versions.get(name) ?? 0) + 1);
      put(name);
    }
    if (restart) await world.restart();
    const services = [...new Set(blamed.map((name) => target(name).service))];
    const policy = forPerson ? { policy: "human_review", needsPerson: ["no automatic condition holds"] } : {};
    world.troubles = [world.trouble({ services, targets: blamed.map(target), ...policy })];
    await world.step(1);
    const plan = world.watch.open().find((one) => one.plan !== null)?.plan;
    if (answer === "reject" && plan != null)
      await world.gate.reject(plan.id, ALICE_TOKEN, "it is innocent").catch(() => undefined);
    await world.step(bad);
    world.troubles = [];
    await world.step(well);
  }
  return world;
}

/** By the order of the ledger: what was written or asked about though somebody had refused it, and what came of the rest. */
async function judge({ store }: WatchWorld) {
  const refused = new Set<string>();
  const written: string[] = [];
  const askedAgain: string[] = [];
  const counts = { refusals: 0, heldInPart: 0, undoneAfter: 0 };
  for (const { kind, planId, body } of await store.entries()) {
    const plan = planId === null ? null : await store.plan(planId);
    if (plan === null) continue;
    const ids = plan.targets.map(({ changeId }) => changeId);
    if (kind === "approval.rejected") {
      counts.refusals += 1;
      for (const id of ids) refused.add(id);
    }
    if (kind === "plan.proposed" && ids.every((id) => refused.has(id))) askedAgain.push(ids.join("+"));
    if (kind === "plan.proposed" && ids.some((id) => refused.has(id))) counts.heldInPart += 1;
    if (kind !== "target.attempted") continue;
    const id = (body as { readonly target: Target }).target.changeId;
    if (refused.has(id)) written.push(id);
    else if (refused.size > 0) counts.undoneAfter += 1;
  }
  return { written, askedAgain, counts };
}

it("S4: a person's no holds each later plan that would undo a part of it, until that is changed anew", async () => {
  const all = { refusals: 0, heldInPart: 0, undoneAfter: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(stretch, { minLength: 2, maxLength: 6 }), async (script) => {
      await using world = await play(script);
      const { written, askedAgain, counts } = await judge(world);
      for (const key of ["refusals", "heldInPart", "undoneAfter"] as const) all[key] += counts[key];
      expect(written).toEqual([]);
      expect(askedAgain).toEqual([]);
    }),
    { numRuns: 60, seed: 13, endOnFailure: true },
  );
  // The law says nothing unless people did refuse, and were asked of plans that hold more than that; nor may it hold all else.
  expect(all.refusals).toBeGreaterThan(20);
  expect(all.heldInPart).toBeGreaterThan(5);
  expect(all.undoneAfter).toBeGreaterThan(5);
}, 180_000);
