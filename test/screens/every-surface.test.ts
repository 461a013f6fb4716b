import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Composition } from "../../agent/cli/composition.ts";
import { buildProgram } from "../../agent/cli/program.ts";
import { openLab } from "../../evals/lab.ts";
import { TOOLS } from "../../mcp-tools/catalog.ts";
import { PROMPTS } from "../../mcp-tools/prompts/prompts.ts";
import { SHOWN } from "./shown.ts";
import { leavesOf } from "./surfaces.ts";
import { screenTerminal } from "./terminal.ts";

const FILES = readdirSync(SHOWN);
const all = FILES.map((file) => readFileSync(join(SHOWN, file), "utf8")).join("\n");

/** Somebody reads all of them. */
const MOST = 60;
const WIDEST = 160;

describe("every surface is kept as a person sees it", () => {
  it("each command: its help, and what it shows when it is typed", () => {
    const to = { version: "1.0.0", terminal: screenTerminal().terminal } as Composition;
    const commands = leavesOf(buildProgram(to, openLab(), new AbortController().signal, () => undefined));
    expect(commands.length).toBeGreaterThan(20);
    const lines = new Set(all.split("\n").filter((line) => line.startsWith("$ unship ")));
    const shows = (command: string) =>
      [...lines].some((line) => `${line} `.startsWith(`$ unship ${command} `) && !line.endsWith("--help"));
    expect(commands.filter((one) => !lines.has(`$ unship ${one} --help`))).toEqual([]);
    expect(commands.filter((one) => !shows(one))).toEqual([]);
  });

  it.each([
    ["tool", TOOLS.map(({ name }) => name)],
    ["prompt", PROMPTS.map(({ name }) => name)],
  ])("each %s of the MCP server", (_, names) => {
    expect(names.filter((name) => !all.includes(`\n> ${name} {`) && !all.startsWith(`> ${name} {`))).toEqual([]);
  });

  it("in no more files than somebody reads, and no line of a terminal is too wide", () => {
    expect(FILES.length).toBeLessThanOrEqual(MOST);
    const ofTerminals = FILES.filter((file) => /^(?:status|watch|help)/.test(file) && file !== "watch.txt");
    for (const file of ofTerminals)
      for (const line of readFileSync(join(SHOWN, file), "utf8").split("\n"))
        expect(line.length, `${file}: ${line}`).toBeLessThanOrEqual(WIDEST);
  });
});
