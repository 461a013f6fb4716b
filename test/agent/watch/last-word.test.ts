import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Trouble } from "./trouble.ts";
import { openWatchWorld, STEP_MS, type WatchWorld } from "./watch-world.ts";

/** What the core may say of one and the same degradation while its evidence comes in. */
const SAYS = {
  "no change": { action: "no_action", culprit: null, noChangeProbability: 0.95, targets: [] },
  "not sure": {
    action: "no_action",
    culprit: { changeId: "deploy-checkout", probability: 0.5 },
    noChangeProbability: 0.4,
    targets: [],
  },
  "another suspect": {
    action: "no_action",
    culprit: { changeId: "flag-7", probability: 0.5 },
    noChangeProbability: 0.4,
    targets: [],
  },
  "mend it": { action: "hotfix_recommendation", needsPerson: ["it is a migration"], targets: [] },
  "mend another": {
    action: "hotfix_recommendation",
    culprit: { changeId: "flag-7", probability: 0.9 },
    needsPerson: ["it is a migration"],
    targets: [],
  },
  "no way to undo it": { targets: [] },
  "ask people": { policy: "human_review", needsPerson: ["no automatic condition holds"] },
} as const satisfies Record<string, Partial<Trouble>>;
type Says = keyof typeof SAYS;

/** The last thing that people heard, as the action and culprit that it speaks of. */
function lastHeard({ notices }: WatchWorld): string | undefined {
  const title = notices.at(-1)?.title ?? "";
  if (title.includes("No change is the culprit")) return "no_action, no change";
  if (title.includes("no change is sure enough")) return "no_action, not sure";
  const mend = /must fix this: (\S+) cannot/.exec(title);
  if (mend !== null) return `hotfix_recommendation, ${mend[1]}`;
  if (/needs a person|cannot be undone from here/.test(title)) return "rollback, deploy-checkout";
  return /roll back (\S+)/.exec(title) === null ? title : `rollback, ${/roll back (\S+)/.exec(title)?.[1]}`;
}

async function held(world: WatchWorld): Promise<string> {
  const { decision, ranking } = await world.incident();
  if (decision?.action !== "no_action") return `${decision?.action}, ${decision?.culprit?.changeId}`;
  return `no_action, ${(ranking?.noChangeProbability ?? 0) >= 0.8 ? "no change" : "not sure"}`;
}

async function play(world: WatchWorld, says: readonly (readonly [Says, number])[]): Promise<void> {
  const first = world.trouble();
  for (const [one, steps] of says) {
    world.troubles = [{ ...first, ...SAYS[one] }];
    await world.step(steps);
  }
}
const titles = ({ notices }: WatchWorld) => notices.map(({ title }) => title);

describe("the last word that people have is what is held", () => {
  const story = fc.array(
    fc.tuple(fc.constantFrom(...(Object.keys(SAYS) as Says[])), fc.constantFrom(1, 2, 3, 5, 12, 20)),
    { minLength: 1, maxLength: 8 },
  );

  it("whatever is decided in whichever order, once it stays, and they hear of what goes to and fro ever more seldom", async () => {
    await fc.assert(
      fc.asyncProperty(story, fc.constantFrom(...(Object.keys(SAYS) as Says[])), async (says, last) => {
        await using world = await openWatchWorld();
        await play(world, [...says, [last, 160]]);
        expect(lastHeard(world)).toBe(await held(world));
        // Each word after the first settled for twice as long as the one before it.
        const steps = says.reduce((sum, [, count]) => sum + count, 160);
        // The gate tells and reminds of each plan that waits by itself.
        const own = titles(world).filter((title) => !title.includes("needs a person"));
        expect(own.length).toBeLessThanOrEqual(3 + Math.log2(steps));
      }),
      { numRuns: 12 },
    );
  });

  it("is told again, in the words that they had before, after they were told otherwise", async () => {
    await using world = await openWatchWorld();
    await play(world, [
      ["mend it", 4],
      ["no change", 36],
      ["mend it", 36],
    ]);
    expect(titles(world)).toEqual([
      expect.stringContaining("A person must fix this"),
      expect.stringContaining("No change is the culprit"),
      expect.stringContaining("A person must fix this"),
    ]);
  });

  it("is not changed by what lasts for two evaluations", async () => {
    await using world = await openWatchWorld();
    await play(world, [
      ["mend it", 4],
      ["mend another", 2],
      ["mend it", 4],
      ["mend another", 2],
      ["mend it", 4],
    ]);
    expect(titles(world)).toHaveLength(1);
  });

  it("is changed at once by an act that they were told would not come", async () => {
    await using world = await openWatchWorld();
    const first = world.trouble();
    world.troubles = [{ ...first, ...SAYS["no change"] }];
    await world.step(12);
    world.troubles = [first];
    await world.step();
    expect(world.targets.writes()).toHaveLength(1);
    expect(titles(world)).toEqual([
      expect.stringContaining("No change is the culprit"),
      expect.stringContaining("Rolled back after all: deploy-checkout (97 %)"),
    ]);
    expect(world.notices.at(-1)?.lines.join("\n")).toContain("Culprit: ");
  });

  it("is not needed for an act of which nothing else was said", async () => {
    await using world = await openWatchWorld();
    world.troubles = [world.trouble()];
    await world.step(3);
    expect(world.targets.writes()).toHaveLength(1);
    expect(titles(world)).toEqual([]);
  });

  it("is not contradicted by a reminder of a plan that the decision comes back to for one evaluation", async () => {
    await using world = await openWatchWorld();
    await play(world, [
      ["ask people", 1],
      ["another suspect", 20],
      ["ask people", 1],
      ["another suspect", 40],
    ]);
    expect(titles(world)).toEqual([
      expect.stringContaining("needs a person"),
      expect.stringContaining("no change is sure enough"),
    ]);
  });

  it("is reminded of once people heard that the plan is called for again", async () => {
    await using world = await openWatchWorld();
    await play(world, [
      ["ask people", 1],
      ["another suspect", 20],
      ["ask people", 36],
    ]);
    expect(titles(world).slice(1)).toEqual([
      expect.stringContaining("no change is sure enough"),
      expect.stringContaining("roll back deploy-checkout"),
      expect.stringContaining("still needs a person"),
    ]);
  });

  it("is corrected after a restart as well", async () => {
    await using world = await openWatchWorld();
    await play(world, [
      ["mend it", 4],
      ["no change", 2],
    ]);
    await world.restart();
    await world.step((10 * 60_000) / STEP_MS);
    expect(titles(world)).toEqual([
      expect.stringContaining("must fix"),
      expect.stringContaining("No change is the culprit"),
    ]);
  });
});
