import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HELD_OUT } from "../../../evals/scenarios/families/held-out/index.ts";
import { families, generateBundle, type Told, tell } from "../../../evals/scenarios/generate.ts";
import { harmOf } from "../../../evals/scenarios/world/harm.ts";
import { MINUTE, type Scenario } from "../../../evals/scenarios/world/model.ts";
import { figure } from "../../../evals/scenarios/world/node.ts";
import { simulate } from "../../../evals/scenarios/world/simulate.ts";
import { season } from "../../../evals/scenarios/world/wander.ts";
import { expectItsWorldToBearItOut, expectOnlyTheGuiltyToMendIt } from "./story-checks.ts";

const FOLDER = join(import.meta.dirname, "../../../evals/scenarios/families/held-out");

describe("the families that are held out", () => {
  it("are all the files of their folder, and none of those that are shown", () => {
    const files = readdirSync(FOLDER).filter((name) => name !== "index.ts");
    expect(families("held-out").map((name) => `${name}.ts`)).toEqual(files.sort());
    expect(families("shown").filter((name) => families("held-out").includes(name))).toEqual([]);
    const sets = ["shown", "fleet", "held-out", "held-out-b"] as const;
    expect(families("all")).toEqual(sets.flatMap((which) => families(which)).sort());
  });

  it("are not told unless they are asked for", () => {
    expect(families()).toEqual(families("shown"));
  });

  it("are guilty and innocent in about equal parts", () => {
    const guilty = HELD_OUT.filter(({ faulty }) => faulty).length;
    expect(guilty / HELD_OUT.length).toBeGreaterThan(0.4);
    expect(guilty / HELD_OUT.length).toBeLessThan(0.6);
  });

  it.each(families("held-out"))("%s has a truth that its own world bears out", (name) => {
    for (const seed of [1, 2]) {
      const told = tell(name, seed);
      expectItsWorldToBearItOut(name, told);
      expectOnlyTheGuiltyToMendIt(told);
    }
  });

  it("have innocent stories in which somebody is hurt for a while", () => {
    const quiet = HELD_OUT.filter(({ faulty }) => !faulty).map(
      ({ name }) => [name, [1, 2, 3, 4].filter((seed) => tell(name, seed).truth.disturbed).length] as const,
    );
    expect(quiet.filter(([, hurt]) => hurt < 2)).toEqual([]);
  });
});

/** What a service does, up to so many minutes after the watch began; `cell` is the last. */
function courseAt({ scenario: world }: Told, service: string, minutes: number, without: readonly string[] = []) {
  const { clock } = world;
  const grid = { start: clock.watchStart - 60 * MINUTE, stepMs: 30_000, length: 2 * (60 + minutes) + 1 };
  const course = simulate(world, grid, null, new Set(without)).courses.get(service);
  if (course === undefined) throw new Error(`no ${service}`);
  return { course, cell: grid.length - 1 };
}

/** Error share and traffic of a service, so many minutes after the watch began. */
function at(told: Told, service: string, minutes: number, without: readonly string[] = []) {
  const { course, cell } = courseAt(told, service, minutes, without);
  return { errors: figure(course, cell, "errors"), rate: course.rate[cell] ?? 0 };
}
const lengthOf = ({ clock }: Scenario) => Math.floor((clock.watchEnd - clock.watchStart) / MINUTE);
const firstOf = ({ scenario: { faults } }: Told) => {
  const fault = faults[0];
  if (fault === undefined) throw new Error("no fault");
  return fault;
};
const kinds = ({ scenario: { changes }, truth }: Told) =>
  changes.filter(({ id }) => truth.guilty.includes(id)).map(({ kind }) => kind);

describe("held-out stories are about what they say", () => {
  it.each([
    ["a pool that is too small", "pool-too-small", "deploy"],
    ["a timeout that makes retries", "timeout-retries", "config"],
    ["a lowered maximum of replicas", "lowered-maximum", "config"],
    ["a flag that is raised in steps", "flag-ramp", "flag"],
    ["an index that is gone", "dropped-index", "migration"],
  ])("%s is the fault of one change of its kind", (_, name, kind) => {
    expect(kinds(tell(name, 3))).toEqual([kind]);
  });

  it("a pool that is too small hurts at the peak of the day, and hours after its deploy", () => {
    const told = tell("pool-too-small", 4);
    const { clock, system, changes } = told.scenario;
    const { onset, culprit } = told.truth;
    const deployed = changes.find(({ id }) => id === culprit)?.startedAt ?? 0;
    expect(deployed).toBeLessThan(clock.watchStart);
    expect(season(system.traffic, onset ?? 0)).toBeGreaterThan(1.1 * season(system.traffic, deployed));
    const { service } = firstOf(told);
    const end = lengthOf(told.scenario) - 1;
    const [late, undone] = [courseAt(told, service, end), courseAt(told, service, end, [culprit ?? ""])];
    expect(harmOf(late.course, undone.course, late.cell)).toBeGreaterThan(1);
    const quiet = [courseAt(told, service, 1), courseAt(told, service, 1, [culprit ?? ""])] as const;
    expect(harmOf(quiet[0].course, quiet[1].course, quiet[0].cell)).toBeLessThan(0.25);
  });

  it("a format that cannot be read hurts those who read it, not the service that was deployed", () => {
    const told = tell("format-change", 4);
    const provider = told.scenario.changes.find(({ id }) => id === told.truth.culprit)?.service;
    const readers = told.scenario.faults.filter(({ main }) => main === true).map(({ service }) => service);
    expect(readers).not.toContain(provider);
    const end = lengthOf(told.scenario);
    for (const reader of readers)
      expect(at(told, reader, end).errors).toBeGreaterThan(at(told, reader, end, told.truth.guilty).errors + 0.005);
  });

  it("a certificate that expired takes a service's traffic away and leaves its own answers sound", () => {
    const told = tell("expired-certificate", 4);
    const { service, from } = firstOf(told);
    const minutes = Math.ceil((from - told.scenario.clock.watchStart) / MINUTE);
    const [before, after] = [at(told, service, minutes - 2), at(told, service, minutes + 6)];
    expect(after.rate).toBeLessThan(0.5 * before.rate);
    expect(after.errors).toBeLessThan(before.errors + 0.01);
  });

  it.each(["switched-off", "taken-back"])("%s: a person's undoing is on record, and follows what it undoes", (name) => {
    const { scenario: world } = tell(name, 4);
    const { because, service } = world.faults.find(({ main }) => main === true) ?? {};
    const [bad, undo] = world.changes.filter((change) => change.service === service).slice(-2);
    expect(bad?.id).toBe(because);
    expect([undo?.from, undo?.to]).toEqual([bad?.to, bad?.from]);
    expect(undo?.startedAt).toBeLessThan(world.clock.watchStart);
    expect(generateBundle(name, 4)["changes.jsonl"]).not.toContain("undoes");
  });

  it("a daily batch job ran at this hour on the days before", () => {
    const { scenario: world } = tell("daily-batch", 4);
    const hours = world.faults
      .filter(({ rampMs }) => rampMs === MINUTE)
      .map(({ from }) => (from % 86_400_000) / MINUTE);
    expect(hours.length).toBe(8);
    expect(Math.max(...hours) - Math.min(...hours)).toBeLessThan(1);
  });
});
