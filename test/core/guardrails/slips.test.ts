import { describe, expect, it } from "vitest";
import { lineMutants } from "./line-mutants.ts";
import { brokenRow } from "./rows.ts";

describe("the tables of the rules", () => {
  const mutants = lineMutants();

  it("hold of the rules as they are", () => {
    expect([...new Set(mutants.map(({ file }) => file))].filter((file) => brokenRow(nameOf(file)) !== null)).toEqual(
      [],
    );
  });

  it("notice every slip of one operator in a rule's source", async () => {
    const unnoticed: string[] = [];
    for (const mutant of mutants) {
      const mend = await mutant.break();
      if (brokenRow(nameOf(mutant.file)) === null) unnoticed.push(mutant.change);
      mend();
    }
    expect(mutants.length).toBeGreaterThan(0);
    expect(unnoticed).toEqual([]);
  });
});

const nameOf = (file: string): string => file.replace(/\.ts$/, "");
