import { describe, expect, it } from "vitest";
import type { WatchLine } from "../../../evals/demo/watch-process.ts";
import { blindness, isNoticed } from "../../../evals/demo/watch-sight.ts";

const ONSET = 1_000_000;
const line = (event: string, text = "", incident: unknown = null, at = ONSET + 5000): WatchLine =>
  ({ at: new Date(at).toISOString(), event, text, incident }) as WatchLine;
const STARTED = line("watch.started", "mode auto", null, ONSET - 20_000);
const ROLLOUTS = { source: "kubernetes", what: ["rollouts"] };
const DOWN = { ...line("source.down", "kubernetes is down (rollouts): it was answered 500"), about: ROLLOUTS };
const UP = { ...line("source.up", "kubernetes answers again (rollouts)"), about: ROLLOUTS };

describe("blindness", () => {
  it.each<[string, readonly WatchLine[], boolean, number]>([
    ["a watch that started and says nothing else can see", [STARTED], false, 0],
    ["a watch that never started cannot", [], false, 1],
    ["a watch that ended cannot", [STARTED], true, 1],
    ["a source that stands down counts", [STARTED, DOWN], false, 1],
    ["a source that answers again does not", [STARTED, DOWN, UP], false, 0],
    [
      "another source's return is not this one's",
      [STARTED, DOWN, { ...UP, about: { source: "zipkin", what: ["spans"] } }],
      false,
      1,
    ],
    ["a source that went down again counts", [STARTED, DOWN, UP, DOWN], false, 1],
    ["a look that failed after onset counts", [STARTED, line("tick.failed", "no")], false, 1],
    [
      "work that takes long while everything else goes on does not",
      [STARTED, line("tick.failed", "incident inc-1: no answer yet; everything else goes on")],
      false,
      0,
    ],
    ["one that failed before does not", [STARTED, line("tick.failed", "no", null, ONSET - 1)], false, 0],
  ])("%s", (_, lines, ended, reasons) => {
    expect(blindness({ lines, ended }, ONSET)).toHaveLength(reasons);
  });
});

describe("isNoticed", () => {
  const incident = (detectedAt: number, latest: number | null) => ({
    detectedAt,
    findings: [{ verdict: "worse", onset: latest === null ? null : { at: latest, earliest: latest, latest } }],
  });
  it.each<[string, readonly WatchLine[], boolean]>([
    ["silence is not notice", [STARTED], false],
    ["an incident detected after onset is", [line("incident.detected", "", incident(ONSET + 1, null))], true],
    [
      "one that noise opened before is not",
      [line("incident.detected", "", incident(ONSET - 9, ONSET - 9), ONSET - 9)],
      false,
    ],
    [
      "nor where it is only told again with the old trouble",
      [line("incident.assessed", "", incident(ONSET - 9, ONSET - 9))],
      false,
    ],
    [
      "it is where it was told again with the new",
      [line("incident.assessed", "", incident(ONSET - 9, ONSET + 9))],
      true,
    ],
    ["what is not said of an incident is not notice", [line("notice.sent", "", incident(ONSET + 1, null))], false],
  ])("%s", (_, lines, noticed) => {
    expect(isNoticed(lines, ONSET)).toBe(noticed);
  });
});
