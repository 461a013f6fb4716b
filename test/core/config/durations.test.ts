import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { durationHint, formatDuration, parseDuration, parseSpokenDuration } from "../../../core/config/durations.ts";

describe("a duration", () => {
  it.each([
    ["3m", 180_000],
    ["90s", 90_000],
    ["1h30m", 5_400_000],
    ["500ms", 500],
    ["1d12h", 129_600_000],
    ["2w", 1_209_600_000],
    ["1y", 31_536_000_000],
    ["1m500ms", 60_500],
    ["0", 0],
    ["0s", 0],
  ])("%s is %d ms", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(["", "3", "3 m", "m", "3M", "1.5h", "-3m", "30s1m", "1m1m", "3min", "3 minutes", "11y", "1e3s", "٣m", " 3m"])(
    "%j is none",
    (text) => {
      expect(parseDuration(text)).toBeNull();
    },
  );

  it("is read back from how it is written, for any whole number of ms", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 * 365 * 86_400_000 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  it("is never read from what Prometheus would not read", () => {
    const pattern = /^(?=.)(\d+y)?(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?(\d+ms)?$/;
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9ywdhms ]{0,8}$/), (text) => {
        if (parseDuration(text) !== null) expect(text === "0" || pattern.test(text)).toBe(true);
      }),
    );
  });
});

describe("a duration as people write it", () => {
  it.each([
    ["3 minutes", "3m"],
    ["3 min", "3m"],
    ["3 Mins", "3m"],
    ["1.5h", "1h30m"],
    ["1 hour and 30 minutes", "1h30m"],
    ["2 days", "2d"],
    ["90 secs", "1m30s"],
    ["250 milliseconds", "250ms"],
  ])("%j should be %s", (text, duration) => {
    expect(durationHint(text)).toBe(`write "${duration}"`);
    expect(parseSpokenDuration(text)).toBe(parseDuration(duration));
  });

  it.each([
    ["PT1H30M", "1h30m"],
    ["P2D", "2d"],
    ["01:30:00", "1h30m"],
    ["1:30", "1h30m"],
    ["-5 minutes", "5m"],
    ["3m#three minutes", "3m"],
  ])("as another tool spells it, %j, is read as %s", (text, spelled) => {
    expect(durationHint(text)).toBe(`write "${spelled}"`);
  });

  it("without a unit asks which", () => {
    expect(durationHint("180")).toBe('write "3h" for minutes, or "3m" for seconds');
  });

  it.each(["soon", "", "three minutes", "3 fortnights", "PT", "12:99"])("%j gets an example", (text) => {
    expect(durationHint(text)).toBe('write it like "90s", "3m" or "1h30m"');
  });
});
