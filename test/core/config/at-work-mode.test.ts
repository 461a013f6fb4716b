import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AtWorkMode, asAtWork, modeText, otherVersionLines } from "../../../core/config/at-work-mode.ts";
import { MODES, type Mode } from "../../../core/config/config.ts";
import { withMode } from "../../../core/config/defaults.ts";
import { policyText } from "../../../core/config/version.ts";
import { changed, loaded, SEED, UNSHIP } from "./fixtures.ts";

const config = (mode: Mode) => withMode(loaded(SEED), mode);

describe("S7, S15: the mode that is said is the one in which plans may be executed", () => {
  const said: readonly (readonly [string, Mode, readonly AtWorkMode[], string])[] = [
    ["nobody is at work: the file's", "observe", [], "Mode observe, by unship.yaml."],
    ["the watch runs as the file says", "auto", [{ work: "the watch", mode: "auto" }], "Mode auto, by unship.yaml."],
    [
      "the watch was started freer",
      "observe",
      [{ work: "the watch", mode: "auto" }],
      "Mode auto, in which the watch runs; unship.yaml says observe.",
    ],
    [
      "the gate was started less free",
      "auto",
      [{ work: "the gate", mode: "approve" }],
      "Mode approve, in which the gate runs; unship.yaml says auto.",
    ],
    [
      "of several the freest counts",
      "observe",
      [
        { work: "an MCP server", mode: "observe" },
        { work: "the watch", mode: "auto" },
      ],
      "Mode auto, in which the watch runs; unship.yaml says observe.",
    ],
    ["one that does not say it", "approve", [{ work: "the watch", mode: null }], "Mode approve, by unship.yaml."],
  ];
  it.each(said)("%s", (_, mode, atWork, text) => {
    expect(modeText(config(mode), "unship.yaml", atWork)).toBe(text);
  });

  it("no service is freer in it than in what the freest of them was started with, and none is less free", () => {
    const mode = fc.constantFrom(...MODES);
    fc.assert(
      fc.property(mode, fc.array(mode, { minLength: 1 }), (own, modes) => {
        const freest = MODES.findLast((one) => modes.includes(one)) ?? own;
        const atWork = modes.map((one) => ({ work: "the watch", mode: one }));
        expect(asAtWork(config(own), atWork).services).toEqual(withMode(config(own), freest).services);
        expect(asAtWork(config(own), atWork).mode).toBe(freest);
      }),
    );
  });
});

describe("S8, S15: another version of the file at work", () => {
  const own = { ...config("auto"), version: "aaaaaaaa" };
  const watch = { work: "the watch", mode: "auto", modeIsAsked: false, since: Date.UTC(2026, 0, 2) } as const;

  it("is said with when it was read; the same version, one that is not told, and a configuration of no file are not", () => {
    expect(otherVersionLines(own, "unship.yaml", [{ ...watch, version: "bbbbbbbb" }])).toEqual([
      expect.stringMatching(
        /^CAUTION: the watch obeys another version of unship\.yaml, read at 2026-01-02T00:00:00\.000Z:/,
      ),
    ]);
    expect(otherVersionLines(own, "unship.yaml", [{ ...watch, version: "aaaaaaaa" }])).toEqual([]);
    expect(otherVersionLines(own, "unship.yaml", [{ ...watch, version: null }])).toEqual([]);
    expect(otherVersionLines(config("auto"), "unship.yaml", [{ ...watch, version: "bbbbbbbb" }])).toEqual([]);
  });

  it("a mode that --mode set holds freer services, also where the file names the same mode", () => {
    const freer = loaded(changed(SEED, ["mode", "approve"], ["services", { checkout: { mode: "auto" } }]));
    const by = (modeIsAsked: boolean) =>
      asAtWork(freer, [{ work: "the watch", mode: "approve", modeIsAsked }]).services.checkout?.mode;
    expect([by(false), by(true)]).toEqual(["auto", "approve"]);
  });
});

describe("S8: two files are one version exactly where they mean the same", () => {
  it("comments, the order of keys and defaults that are written out change nothing", () => {
    const text = policyText(loaded(UNSHIP));
    expect(policyText(loaded(`# of the team\n${UNSHIP}`))).toBe(text);
    const services = { b: { criticality: "low" }, a: { criticality: "high" } };
    const turned = { a: { criticality: "high" }, b: { criticality: "low", flags: [] } };
    expect(policyText(loaded(changed(UNSHIP, ["services", services])))).toBe(
      policyText(loaded(changed(UNSHIP, ["services", turned]))),
    );
  });

  it.each([
    ["the mode", "mode", "auto"],
    ["a limit", "execution.guardrails.max_auto_rollbacks_per_day", 77],
    ["a service, whatever it is called", "services", { version: { criticality: "low" } }],
    ["another service", "services", { filled: { criticality: "low" } }],
    ["who may approve", "approvers", [{ name: "eve", token_sha256: "ab".repeat(32) }]],
    ["a freeze", "freeze_windows", [{ name: "f", cron: "0 17 * * 5", duration: "2h", rollbacks: "deny" }]],
  ])("%s makes another", (_, path, value) => {
    expect(policyText(loaded(changed(UNSHIP, [path, value])))).not.toBe(policyText(loaded(UNSHIP)));
  });

  it("S10: the value of a secret that stands in the file has no part in it", () => {
    const keyed = loaded(changed(SEED, ["data_sources.metrics.token", "very-secret-token"]));
    expect(policyText(keyed)).not.toContain("very-secret-token");
  });
});
