import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AtWorkMode, asAtWork, modeText } from "../../../core/config/at-work-mode.ts";
import { MODES, type Mode } from "../../../core/config/config.ts";
import { withMode } from "../../../core/config/defaults.ts";
import { loaded, SEED } from "./fixtures.ts";

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
