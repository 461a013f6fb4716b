import { describe, expect, it } from "vitest";
import { createProgress } from "../../../evals/lab/progress.ts";

function bar(isTty: boolean) {
  const written: string[] = [];
  const clock = { now: 0 };
  const progress = createProgress({ write: (text) => written.push(text), isTty, now: () => clock.now });
  return { progress, written, clock };
}

describe("createProgress", () => {
  it("shows nothing in the first two seconds, then how much is done and about how long it takes", () => {
    const { progress, written, clock } = bar(true);
    progress.step(1, 10);
    expect(written).toEqual([]);
    clock.now = 4_000;
    progress.step(4, 10, "cart");
    expect(written.join("")).toContain("[##########..............] 4/10, about 6 s left cart");
    progress.end();
    expect(written.at(-1)).toBe("\r\u001b[K");
  });

  it("is not redrawn faster than anybody reads", () => {
    const { progress, written, clock } = bar(true);
    for (clock.now = 3_000; clock.now < 3_100; clock.now += 10) progress.step(1, 10);
    expect(written).toHaveLength(1);
  });

  it("shows a life sign while one step takes long", () => {
    const { progress, written, clock } = bar(true);
    progress.step(3, 10);
    clock.now = 5_000;
    progress.again();
    expect(written.join("")).toContain("3/10");
  });

  it("writes nothing where nobody looks at a terminal, and wipes nothing that it did not draw", () => {
    const { progress, written, clock } = bar(false);
    clock.now = 60_000;
    progress.step(5, 10);
    progress.end();
    expect(written).toEqual([]);
  });
});
