import { describe, expect, it } from "vitest";
import { measureMcp, TRANSPORTS } from "../../../evals/bench/mcp.ts";

describe("bench mcp", () => {
  it("times the same number of calls of each kind over each transport, ours and the bare echo's", async () => {
    const times = await measureMcp({ calls: 3, rounds: 2, warmUp: 1 });
    const kinds = ["echo", "list_services", "echo of a page", "get_findings"];
    expect(times.map(({ over, name, calls }) => [over, name, calls])).toEqual(
      TRANSPORTS.flatMap((over) => kinds.map((name) => [over, name, 6])),
    );
    for (const over of TRANSPORTS) {
      const [echo, , page, findings] = times.filter((one) => one.over === over);
      expect(echo).toMatchObject({ ratio: 1, bytes: 4 });
      expect(page?.bytes).toBe(findings?.bytes);
    }
  });
});
