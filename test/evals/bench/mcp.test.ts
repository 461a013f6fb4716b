import { describe, expect, it } from "vitest";
import { measureMcp, TRANSPORTS } from "../../../evals/bench/mcp.ts";

describe("bench mcp", () => {
  it("times the same number of calls of each kind over each transport, ours and the bare echo's", async () => {
    const times = await measureMcp({ calls: 3, rounds: 2, warmUp: 1 });
    const asked = ["list_services", "get_findings"].flatMap((name) => [
      `${name}, again`,
      `${name}, anew`,
      `echo of ${name}`,
    ]);
    const kinds = ["echo", ...asked];
    expect(times.map(({ over, name, calls }) => [over, name, calls])).toEqual(
      TRANSPORTS.flatMap((over) => kinds.map((name) => [over, name, 6])),
    );
    for (const over of TRANSPORTS) {
      const [echo, ...ours] = times.filter((one) => one.over === over);
      expect(echo).toMatchObject({ ratio: 1, bytes: 4, ofSameBytes: null });
      // What is compared says the same, however it was asked; the mark of a cursor may be a digit longer.
      for (const name of ["list_services", "get_findings"]) {
        const sizes = ours.filter((one) => one.name.includes(name)).map(({ bytes }) => bytes);
        expect(sizes.length).toBe(3);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }
    }
  });
});
