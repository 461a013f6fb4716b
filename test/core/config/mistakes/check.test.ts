import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { unship } from "../../../agent/cli/run-cli.ts";
import { type Mistake, mistaken, saidOf } from "./harness.ts";

/** One mistake of each kind, by who finds it: the parser, the schema, a check, the variables, PromQL's grammar, a warning. */
const FOUND: readonly (readonly [code: number, row: Mistake])[] = [
  [2, { what: "a tab", from: "        duration: 3m", to: "‸\tduration: 3m", says: /tab/ }],
  [2, { what: "a misspelt key", from: "threshold: 0.05 #", to: "‸treshold: 0.05 #", says: /treshold/ }],
  [2, { what: "5 for 5 %", from: "threshold: 0.05 #", to: "threshold: ‸5 #", says: /ratio/ }],
  [2, { what: "a shell's variable", from: `"\${UNLEASH_TOKEN}"`, to: "‸$UNLEASH_TOKEN", says: /another tool/ }],
  [
    1,
    {
      what: "PromQL that is none",
      from: "orders_completed_total[5m]))",
      to: "orders_completed_total[5m])‸",
      says: /PromQL/,
    },
  ],
  [0, { what: "a secret in it", from: `"\${UNLEASH_TOKEN}"`, to: "‸s3cr3t-of-unleash", says: /secret itself/ }],
];

describe("`unship check` on a mistaken file", () => {
  it.each(FOUND.map(([code, row]) => [row.what, code, row] as const))(
    "that has %s ends with %d, and prints the place, what is wrong and what to do in one line",
    async (_, code, row) => {
      const folder = mkdtempSync(join(tmpdir(), "unship-mistakes-"));
      const file = join(folder, "unship.yaml");
      const { text, variables, place } = mistaken(row);
      writeFileSync(file, text);
      const answer = await unship(["check", "--offline", "-c", file], { variables });
      rmSync(folder, { recursive: true });
      expect(answer.code).toBe(code);
      const said = `${answer.out}${answer.err}`.replaceAll(/\s+/g, " ");
      const [problem] = saidOf({ text, variables }).said;
      expect(said).toContain(`unship.yaml:${place}: ${problem?.message}`.replaceAll(/\s+/g, " "));
      expect(said).toContain(`(${problem?.hint})`);
    },
  );
});
