import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { ROOT, unship, unshipProcess } from "./run-cli.ts";

const LIST_MODULES = join(import.meta.dirname, "list-modules.ts");
const COMMANDS = [
  "demo",
  "sandbox",
  "check",
  "watch",
  "gate",
  "mcp",
  "status",
  "approve",
  "reject",
  "pause",
  "resume",
  "investigate",
  "postmortem",
  "replay",
  "audit verify",
  "knowledge search",
] as const;

async function loadedBy(words: readonly string[]): Promise<readonly string[]> {
  const { err } = await unshipProcess(words, { node: ["--import", LIST_MODULES] });
  return [...err.matchAll(/^loaded (.*)$/gm)].map(([, url]) => url ?? "");
}

describe("unship", () => {
  it("--version says the version and loads nothing but its own first file", async () => {
    const { code, out } = await unshipProcess(["--version"]);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(await loadedBy(["--version"])).toEqual([pathToFileURL(join(ROOT, "agent/main.ts")).href]);
  });

  it("--help loads the command line and its schemas, and no vendor's client, database or chart", async () => {
    const packages = (await loadedBy(["--help"])).flatMap(
      (url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? [],
    );
    expect([...new Set(packages)].sort()).toEqual(["commander", "zod"]);
  });

  it.each(COMMANDS)(
    "%s --help describes it, each argument and each option, and what its exit codes mean",
    async (name) => {
      const { code, out, err } = await unship([...name.split(" "), "--help"]);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toMatch(new RegExp(`^Usage: unship ${name}.*\\n\\n[A-Z]`));
      expect(out).toContain("Exit codes: 0 yes, 1 the answer is no, 2 wrong input");
      const terms = out.split("\n").filter((line) => /^ {2}[-\w]/.test(line));
      expect(terms.length).toBeGreaterThan(1);
      for (const term of terms) expect(term).toMatch(/^ {2}\S.*? {2,}\S/);
    },
  );

  it.each([
    ["an unknown command", ["statsu"], /unknown command 'statsu'[\s\S]*Did you mean status\?/],
    ["an unknown option", ["status", "--jsn"], /unknown option '--jsn'[\s\S]*Did you mean --json\?/],
    ["a missing argument", ["approve"], /missing required argument 'plan'/],
    ["a time that is none", ["investigate", "--at", "yesterday"], /RFC 3339 time, such as 20/],
    ["a format that is none", ["postmortem", "x", "--format", "pdf"], /Allowed choices are md, html/],
    ["no command at all", [], /Usage: unship/],
    [
      "a file that is not there",
      ["status"],
      /unship\.yaml cannot be read: there is no such file; name one with --config/,
    ],
    ["a scenario that is none", ["demo", "--scenario", "meteor"], /there is no "meteor"; there are bad-deploy/],
    ["a bundle that is not there", ["replay", "/no/such/bundle"], /\/no\/such\/bundle cannot be read: it is no folder/],
  ] as const)("%s ends with exit code 2 and what to do, and nothing on standard output", async (_, words, said) => {
    const { code, out, err } = await unship(words);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(said);
    expect(err).not.toMatch(/\n\s+at .*\.ts:\d/);
  });
});
