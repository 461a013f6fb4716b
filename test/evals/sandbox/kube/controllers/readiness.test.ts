import { describe, expect, it } from "vitest";
import { afterProbe, NOT_READY, probeFigures } from "../../../../../evals/sandbox/kube/controllers/readiness.ts";

const bare = { name: "web", image: "web:1" };
const probed = (readinessProbe: object) => ({ ...bare, readinessProbe });

describe("readiness", () => {
  it.each([
    ["one good answer makes ready", { successThreshold: 1, failureThreshold: 3 }, "+", true],
    ["no answer is not ready", { successThreshold: 1, failureThreshold: 3 }, "", false],
    ["two bad answers of three leave it ready", { successThreshold: 1, failureThreshold: 3 }, "+--", true],
    ["three bad answers in a row do not", { successThreshold: 1, failureThreshold: 3 }, "+---", false],
    ["a good one between starts the count anew", { successThreshold: 1, failureThreshold: 3 }, "+--+--", true],
    ["two good answers may be asked for", { successThreshold: 2, failureThreshold: 1 }, "+-+", false],
    ["and must come in a row", { successThreshold: 2, failureThreshold: 1 }, "+-++", true],
  ])("%s", (_, thresholds, answers, ready) => {
    const figures = probeFigures(probed(thresholds));
    const end = [...answers].reduce((state, answer) => afterProbe(state, answer === "+", figures), NOT_READY);
    expect(end.ready).toBe(ready);
  });

  it.each([
    [
      "the probe's own period",
      probed({ periodSeconds: 5, initialDelaySeconds: 2 }),
      undefined,
      { periodMs: 5000, initialDelayMs: 2000, failureThreshold: 3 },
    ],
    ["Kubernetes' defaults", probed({}), undefined, { periodMs: 10_000, initialDelayMs: 0, failureThreshold: 3 }],
    ["a second where there is no probe", bare, undefined, { periodMs: 1000, initialDelayMs: 0, failureThreshold: 1 }],
    [
      "one period for all where given",
      probed({ periodSeconds: 5 }),
      100,
      { periodMs: 100, initialDelayMs: 0, failureThreshold: 3 },
    ],
  ])("asks at %s", (_, container, periodMs, figures) => {
    expect(probeFigures(container, periodMs)).toEqual({ successThreshold: 1, ...figures });
  });
});
