import { describe, expect, it } from "vitest";
import { openDesk } from "./run-cli.ts";

describe("unship knowledge, where nothing has been learned yet", () => {
  it.each([
    [["knowledge", "list"], 0, "Nothing has been remembered yet.\n", []],
    [["knowledge", "search", "errors of checkout"], 1, "No past incident is like this.\n", []],
  ] as const)("%j ends with exit code %i and says so, in words and as JSON alone", async (words, code, said, value) => {
    using desk = openDesk();
    expect(await desk.run(words)).toEqual({ code, out: said, err: "" });
    const asJson = await desk.run([...words, "--json"]);
    expect({ code: asJson.code, value: JSON.parse(asJson.out) }).toEqual({ code, value });
  });
});
