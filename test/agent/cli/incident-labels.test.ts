import { describe, expect, it } from "vitest";
import { createIncidentLabels } from "../../../agent/cli/incident-labels.ts";
import { paints, storyLine } from "../../../evals/demo/story.ts";
import { incident } from "../../knowledge/incidents.ts";

const one = (id: string, service: string, stage: "detected" | "closed" = "detected") => ({ id, service, stage });

describe("events of several open incidents", () => {
  it("name the service while more than one is open, and only then", () => {
    const { next } = createIncidentLabels();
    expect(next(one("inc-1-aa", "cart"))).toBe("");
    expect(next(null)).toBe("");
    expect(next(one("inc-1-bb", "search"))).toBe("search");
    expect(next(one("inc-1-aa", "cart"))).toBe("cart");
    expect(next(one("inc-1-aa", "cart", "closed"))).toBe("cart");
    expect(next(one("inc-1-bb", "search"))).toBe("");
    expect(next(one("inc-1-bb", "search", "closed"))).toBe("");
  });

  it("tell two of one service apart by the last part of their ids", () => {
    const { next } = createIncidentLabels();
    next(one("inc-1-aa", "cart"));
    expect(next(one("inc-1-bb", "cart"))).toBe("cart bb");
    expect(next(one("inc-1-aa", "cart"))).toBe("cart aa");
  });

  it("are told so in the demo's story, within the terminal's width", () => {
    const line = {
      at: "2026-03-02T14:11:45.000Z",
      event: "incident.decided",
      text: "roll back it ".repeat(12),
      incident,
    };
    const paint = paints(false);
    expect(storyLine(line, null, paint, 100)).not.toContain("[");
    const told = storyLine(line, null, paint, 100, "cart") ?? "";
    expect(told).toMatch(/^ +DECIDED {3}\[cart\] roll back/);
    expect(Math.max(...told.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(100);
  });
});
