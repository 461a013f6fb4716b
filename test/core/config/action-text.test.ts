import { describe, expect, it } from "vitest";
import { choicesOfAction, windowOfAction } from "../../../core/config/action-text.ts";

describe("the window in a step's action", () => {
  it.each([
    ["query deployments within last 30 minutes", 1_800_000],
    ["query deployments within the last 2 hours", 7_200_000],
    ["everything in the past 90s", 90_000],
    ["look at the previous 1.5 h", 5_400_000],
    ["what changed in the last hour", 3_600_000],
    ["LAST 30 Minutes", 1_800_000],
  ])("%j is read", (action, value) => {
    expect(windowOfAction(action)).toEqual({ kind: "value", value });
  });

  it.each([
    ["query deployments", "none"],
    ["the last deployments", "none"],
    ["at least 30 minutes of deployments", "none"],
    ["query the last 30 minuts", "wrong"],
    ["query the last 30", "wrong"],
    ["query the last 0 minutes", "wrong"],
  ])("%j is %s", (action, kind) => {
    expect(windowOfAction(action).kind).toBe(kind);
  });

  it("says which word it could not read, and where", () => {
    expect(windowOfAction("query the last 30 minuts")).toEqual({
      kind: "wrong",
      what: '"minuts" is no unit of time',
      hint: "did you mean 30 minutes?",
      offset: 18,
    });
  });
});

describe("the choices in a step's action", () => {
  it.each([
    ["select from [rollback, no_action]", ["rollback", "no_action"]],
    ["Select from [ rollback ]", ["rollback"]],
    ["choose from [a,b]", ["a", "b"]],
  ])("%j are read in order", (action, value) => {
    expect(choicesOfAction(action)).toEqual({ kind: "value", value });
  });

  it.each([
    ["recommend something", "none"],
    ["select from rollback, no_action", "wrong"],
    ["select from [rollback,, no_action]", "wrong"],
    ["select from []", "wrong"],
    ["select from [rollback", "wrong"],
  ])("%j is %s", (action, kind) => {
    expect(choicesOfAction(action).kind).toBe(kind);
  });
});
