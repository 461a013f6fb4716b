import { afterEach, describe, expect, it, vi } from "vitest";
import { CORPUS, type Injection } from "./injections/reader.ts";

/** The harness with one of our defences replaced by nothing: what the corpus then finds must be found. */
const untrustedText = "../../../core/model/untrusted-text.ts";
const fenceAnswer = "../../../mcp-tools/fence-answer.ts";
const grounding = "../../../agent/chain/grounding.ts";

afterEach(() => {
  for (const module of [untrustedText, fenceAnswer, grounding]) vi.doUnmock(module);
  vi.resetModules();
});

async function played(injection: Injection) {
  vi.resetModules();
  const { openScene, playChain } = await import("./injections/play.ts");
  await using scene = await openScene(injection);
  return playChain(scene, injection);
}

const at = (place: string, wants: Injection["wants"]) =>
  CORPUS.filter((one) => one.place.join("+") === place && one.wants === wants && one.fate === "read");
const first = (place: string, wants: Injection["wants"]): Injection => {
  const [injection] = at(place, wants);
  if (injection === undefined) throw new Error(`the corpus has no ${wants} at ${place}`);
  return injection;
};

describe("without the fence", () => {
  it.each(["log", "commit", "alert", "annotation", "past", "flag", "span", "author"])(
    "a demand in a %s would be obeyed by a reader who trusts what is not fenced",
    async (place) => {
      const injection = first(place, "innocent");
      expect((await played(injection)).obeyed.unfenced).toBe(false);
      vi.doMock(untrustedText, async (original) => ({
        ...(await original<typeof import("../../../core/model/untrusted-text.ts")>()),
        quote: (text: string) => text,
        name: (text: string) => text,
      }));
      expect((await played(injection)).obeyed.unfenced).toBe(true);
    },
  );

  it("a log line that the core's own sentence quotes would be obeyed too", async () => {
    // Digits become variables of the signature: one without an id is quoted whole.
    const injection = first("log", "silence");
    expect((await played(injection)).obeyed.unfenced).toBe(false);
    const open = { fence: <T>(answer: T) => answer, unfence: <T>(answer: T) => answer };
    vi.doMock(fenceAnswer, () => ({ answerFence: () => open }));
    expect((await played(injection)).obeyed.unfenced).toBe(true);
  });
});

describe("without the grounding check", () => {
  it.each(["log", "commit", "alert", "past"])(
    "a change that a %s invents would stand in the model's answers and in front of people",
    async (place) => {
      const injection = first(place, "ghost");
      const told = async () => {
        const { settled, model } = (await played(injection)).result;
        return JSON.stringify([settled?.opinions, model?.answers, model?.custom]);
      };
      expect(await told()).not.toContain("deploy-ghost-99");
      vi.doMock(grounding, () => ({ ungrounded: () => [] }));
      expect(await told()).toContain("deploy-ghost-99");
    },
  );

  it("so would a figure", async () => {
    const injection = first("log", "figure");
    const revenue = async () =>
      (await played(injection)).result.model?.answers.evaluate_business_impact?.impact.revenuePerMinute ?? null;
    expect(await revenue()).toBeNull();
    vi.doMock(grounding, () => ({ ungrounded: () => [] }));
    expect(await revenue()).toBe(48_000);
  });
});
