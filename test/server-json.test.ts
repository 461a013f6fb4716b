import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";

const read = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, "..", name), "utf8"));

/** Fields that any input may have; a misspelled one is refused here, though the registry would let it pass unread. */
const input = {
  description: z.string().optional(),
  format: z.enum(["string", "number", "boolean", "filepath"]).optional(),
  isRequired: z.boolean().optional(),
  isSecret: z.boolean().optional(),
  default: z.string().optional(),
  placeholder: z.string().optional(),
  choices: z.array(z.string()).optional(),
};
const version = z
  .string()
  .max(255)
  .regex(/^\d+\.\d+\.\d+(?:-[\w.]+)?$/, "one version, no range");

/**
 * What the MCP registry takes, as far as a package on npm served over standard input and output goes.
 * @see https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json
 */
const ServerJson = z.strictObject({
  $schema: z.literal("https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"),
  name: z
    .string()
    .min(3)
    .max(200)
    .regex(/^[a-zA-Z0-9.-]+\/[a-zA-Z0-9._-]+$/),
  title: z.string().min(1).max(100).optional(),
  description: z.string().min(1).max(100),
  version,
  packages: z.array(
    z.strictObject({
      registryType: z.literal("npm"),
      identifier: z.string(),
      version,
      transport: z.strictObject({ type: z.literal("stdio") }),
      packageArguments: z.array(
        z.discriminatedUnion("type", [
          z.strictObject({ ...input, type: z.literal("positional"), value: z.string() }),
          z.strictObject({ ...input, type: z.literal("named"), name: z.string(), value: z.string().optional() }),
        ]),
      ),
    }),
  ),
});

it("server.json is what the registry's schema asks for", () => {
  expect(ServerJson.safeParse(read("server.json")).error?.issues ?? []).toEqual([]);
});

it("server.json names the package as package.json does: the registry compares both", () => {
  const [server, ours] = [read("server.json"), read("package.json")];
  expect(server.name).toBe(ours.mcpName);
  expect(server.version).toBe(ours.version);
  expect(server.packages).toMatchObject([{ identifier: ours.name, version: ours.version }]);
});

it("the command line that a client makes of server.json is one that unship takes", () => {
  const args = ServerJson.parse(read("server.json")).packages.flatMap(({ packageArguments }) =>
    packageArguments.map((one) => (one.type === "positional" ? one.value : `${one.name}=/no/such/unship.yaml`)),
  );
  const main = join(import.meta.dirname, "../agent/main.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8" });
  expect(stderr).toContain("/no/such/unship.yaml");
  expect(stdout).toBe("");
  expect(status).toBe(2);
});
