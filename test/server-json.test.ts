import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, "..", name), "utf8"));

it("server.json names the package as package.json does: the registry compares both", () => {
  const [server, ours] = [read("server.json"), read("package.json")];
  expect(server.name).toBe(ours.mcpName);
  expect(server.name).toMatch(/^[a-z0-9.-]+\/[a-z0-9._-]+$/i);
  expect(server.version).toBe(ours.version);
  expect(server.packages).toMatchObject([{ identifier: ours.name, version: ours.version }]);
});
