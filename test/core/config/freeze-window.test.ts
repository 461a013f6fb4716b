import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileFreeze, cronProblem, isTimeZone } from "../../../core/config/freeze-window.ts";
import { loaded, problems, SOURCES } from "./fixtures.ts";

const HOUR = 3_600_000;
const at = Date.parse;
const weekend = compileFreeze("0 17 * * 5", "Europe/Berlin", 63 * HOUR);

describe("a freeze window", () => {
  it.each([
    ["is closed a moment before its time, by the clock of its zone", "2026-01-02T15:59:59.999Z", false],
    ["opens on time", "2026-01-02T16:00:00Z", true],
    ["is open to its last ms", "2026-01-05T06:59:59.999Z", true],
    ["is closed when its duration is over", "2026-01-05T07:00:00Z", false],
    ["opens an hour earlier by UTC in summer", "2026-07-03T15:00:00Z", true],
    ["does not open earlier in winter", "2026-01-09T15:00:00Z", false],
  ])("%s", (_, moment, open) => {
    expect(weekend(at(moment)) !== null).toBe(open);
  });

  it("opens after the gap on the night when the clock skips its hour", () => {
    const window = compileFreeze("30 2 * * *", "Europe/Berlin", HOUR / 2);
    expect(window(at("2026-03-29T00:59:59Z"))).toBeNull();
    expect(window(at("2026-03-29T01:00:00Z"))).not.toBeNull();
  });

  it("that reopens before it closes says the end that is known now", () => {
    const window = compileFreeze("0 * * * *", "UTC", 90 * 60_000);
    expect(window(at("2026-01-02T10:15:00Z"))).toEqual({
      from: at("2026-01-02T09:00:00Z"),
      to: at("2026-01-02T11:30:00Z"),
    });
  });

  it("holds the moment that is asked about, in a stretch no shorter than its duration", () => {
    const duration = fc.integer({ min: 1, max: 100 }).map((hours) => hours * HOUR);
    const cron = fc.constantFrom("0 17 * * 5", "*/20 3 * * *", "15 4 1 * *");
    const moment = fc.integer({ min: at("2026-01-01T00:00:00Z"), max: at("2027-01-01T00:00:00Z") });
    fc.assert(
      fc.property(cron, duration, moment, (pattern, ms, now) => {
        const stretch = compileFreeze(pattern, "America/New_York", ms)(now);
        if (stretch === null) return;
        expect(stretch.from).toBeLessThanOrEqual(now);
        expect(stretch.to).toBeGreaterThan(now);
        expect(stretch.to - stretch.from).toBeGreaterThanOrEqual(ms);
      }),
      { numRuns: 60 },
    );
  });

  it("that lasts longer is open whenever the shorter one is", () => {
    const hours = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(hours, hours, fc.integer({ min: 0, max: 14 * 24 * 60 }), (short, more, minute) => {
        const now = at("2026-03-20T00:00:00Z") + minute * 60_000;
        const open = (length: number) => compileFreeze("0 17 * * 5", "Europe/Berlin", length * HOUR)(now) !== null;
        if (open(short)) expect(open(short + more)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    ["0 17 * * 5", null],
    ["0 0 17 * * 5", "has not five fields"],
    ["@daily", "has not five fields"],
    ["0 17 31 2 *", "never matches"],
    ["0 25 * * *", "is no cron pattern"],
    ["a b c d e", "is no cron pattern"],
  ])("begins by five cron fields: %s", (cron, problem) => {
    expect(cronProblem(cron)).toBe(problem);
  });

  it.each([
    ["Europe/Berlin", true],
    ["UTC", true],
    ["Mars/Olympus", false],
    ["+02:00", false],
  ])("knows time zones by their IANA name: %s", (zone, known) => {
    expect(isTimeZone(zone)).toBe(known);
  });
});

const window = (fields: string) => `${SOURCES}freeze_windows: [{name: launch, ${fields}}]\n`;

describe("freeze_windows", () => {
  it("have to say what they mean for rollbacks", () => {
    expect(problems(window('cron: "0 17 * * 5", duration: 1h'))).toEqual([
      expect.stringContaining("freeze_windows[0] lacks rollbacks"),
    ]);
  });

  it.each([
    ['cron: "0 25 * * *", duration: 1h, rollbacks: deny', "is no cron pattern"],
    ['cron: "0 1 * * *", duration: 1h, rollbacks: deny, time_zone: Berlin', "is no time zone"],
    ['cron: "0 1 * * *", duration: 1s, rollbacks: deny', "is too short"],
    ['cron: "0 1 * * *", duration: 1h, rollbacks: maybe', "rollbacks"],
  ])("are checked: %s", (fields, says) => {
    expect(problems(window(fields))).toEqual([expect.stringContaining(says)]);
  });

  it("hold in UTC and for every service where the file says nothing else", () => {
    expect(loaded(window('cron: "0 1 * * *", duration: 1h, rollbacks: deny')).freezeWindows).toMatchObject([
      { name: "launch", timeZone: "UTC", durationMs: HOUR, services: null, rollbacks: "deny" },
    ]);
  });
});
