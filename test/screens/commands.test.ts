import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { Composition } from "../../agent/cli/composition.ts";
import { buildProgram } from "../../agent/cli/program.ts";
import { wrap } from "../../agent/cli/wrap.ts";
import { composeCommands } from "../../agent/compose/commands.ts";
import { openLab } from "../../evals/lab.ts";
import { sideBySide, type Version } from "../core/canary/versions.ts";
import { ALICE_TOKEN } from "../mcp-tools/gate/gate-world.ts";
import { shows } from "./shown.ts";
import { recorded } from "./story.ts";
import { leavesOf } from "./surfaces.ts";
import { COLUMNS, screenTerminal, typed } from "./terminal.ts";

const EXAMPLE = join(import.meta.dirname, "../../examples/openclaw-agent-config.yaml");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "unship-screens-"));
  const example = readFileSync(EXAMPLE, "utf8");
  const own = `ledger: { path: ${join(folder, "ledger.db")} }\nknowledge: { path: ${join(folder, "knowledge")} }\n`;
  // What is asked answers on no machine: no source is on it, and none is looked up by its name.
  const here = example.replace(/ {2}feature_flags:\n(?: {4}.*\n)+/, "");
  const nowhere = here.replaceAll(/https:\/\/[\w.]+(?::\d+)?/g, "http://127.0.0.1:9");
  writeFileSync(join(folder, "unship.yaml"), `${nowhere}\n${own}`);
  writeFileSync(
    join(folder, "wrong.yaml"),
    example.replace("threshold", "treshold").replace("duration: 3m", "duration: soon"),
  );
  writeFileSync(
    join(folder, "apart.yaml"),
    `${nowhere}\n${own}gate: { listen: "127.0.0.1:9", token: "a-token-of-the-agent-that-is-long-enough" }\n`,
  );
  for (const [name, version] of Object.entries<Version>({ good: {}, bad: { errors: 0.3 } })) {
    const { baseline, canary } = sideBySide(version);
    for (const [side, all] of Object.entries({ baseline, canary })) {
      const lines = all.map(({ startAt, stepMs, ...rest }) =>
        JSON.stringify({ ...rest, start: startAt / 1000, step: stepMs / 1000 }),
      );
      writeFileSync(join(folder, `${name}-${side}.jsonl`), `${lines.join("\n")}\n`);
    }
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The real commands, in a folder and with a program that are called the same on every machine. */
async function at(line: string): Promise<string> {
  const lab = openLab();
  const make = (terminal: Composition["terminal"]) => ({
    ...composeCommands({
      ...{ version: "1.0.0", environment: { LD_API_KEY: "k" }, terminal, openBundle: lab.openBundle },
      start: { command: "/usr/bin/node", args: ["/opt/unship/bin/unship.cjs"] },
    }),
  });
  // Broken to the terminal's width only once no path of this machine is in it.
  const text = await typed(line.replaceAll("@", `${folder}/`), make, { lab, secret: ALICE_TOKEN, columns: 10_000 });
  const lines = text.replaceAll(`${folder}/`, "").split("\n");
  return lines.flatMap((one) => wrap(one, COLUMNS)).join("\n");
}

/** What is measured of this machine, and not of what was asked. */
const withoutSpeed = (text: string): string =>
  text.replaceAll(/ in [\d.]+ s \(\d+ samples\/s\)/g, " in N s (N samples/s)").replaceAll(/^.*\r.*$\n?/gm, "");

describe("commands that need no incident", () => {
  it("check.txt: sound, wrong, and with sources that are down", { timeout: 120_000 }, async () => {
    await shows("check.txt", [await at("check --offline -c @unship.yaml"), await at("check --offline -c @wrong.yaml")]);
    await shows("check-down.txt", (await at("check -c @unship.yaml")).replace(/^[\s\S]*\n\nSources:/, "…\n\nSources:"));
  });

  it("status where the gate is a process of its own, and down; and where there is no ledger", async () => {
    await shows("status-gate-down.txt", [await at("status -c @apart.yaml"), await at("status -c @unship.yaml")]);
  });

  it("what people do before anything ran", async () => {
    await shows("before-anything-ran.txt", [
      await at("approver-key"),
      await at("reject plan-1 -c @unship.yaml"),
      await at("postmortem inc-1 -c @unship.yaml"),
      await at("audit verify -c @unship.yaml"),
      await at("audit sign -c @unship.yaml"),
      await at("audit export -c @unship.yaml"),
      await at("knowledge list -c @unship.yaml"),
      await at('knowledge search "errors of checkout" -c @unship.yaml'),
      await at("knowledge forget inc-1 -c @unship.yaml"),
      await at("knowledge rebuild -c @unship.yaml"),
      await at("mcp --print-config claude-code -c @unship.yaml"),
      await at("gate -c @unship.yaml"),
    ]);
  });

  it("canary.txt, replay.txt", { timeout: 240_000 }, async () => {
    const sides = (name: string) => `--baseline @${name}-baseline.jsonl --canary @${name}-canary.jsonl`;
    await shows("canary.txt", [await at(`canary ${sides("good")}`), await at(`canary ${sides("bad")}`)]);
    const bundles = `${recorded("case-7b2f8253")} ${recorded("case-e397cb33")}`;
    const replayed = await at(`replay --score --no-report --workers 1 ${bundles}`);
    const detected = await at("detect @bad-canary.jsonl");
    await shows("replay-detect.txt", [
      withoutSpeed(replayed).replaceAll(recorded(""), "evals/data/incidents"),
      detected.split("\n").slice(0, 30).join("\n"),
    ]);
  });

  it("what is refused before it starts", async () => {
    await shows("refused.txt", [
      await at("statsu"),
      await at("demo --scenario nothing"),
      await at("sandbox --scenario nothing"),
      await at("bench nothing"),
      await at("watch --mode fast -c @unship.yaml"),
      await at("init --flags nothing"),
      await at("record --from yesterday --to today -o out -c @unship.yaml"),
      await at("backtest --from 2026-01-02T00:00:00Z --to 2026-01-01T00:00:00Z -c @unship.yaml"),
      await at("ack inc-1 --for ever -c @unship.yaml"),
    ]);
  });

  it("help.txt: of each command", async () => {
    const { terminal, kept } = screenTerminal();
    const to = { version: "1.0.0", terminal } as Composition;
    const program = buildProgram(to, openLab(), new AbortController().signal, () => undefined);
    for (const path of ["", ...leavesOf(program)]) {
      kept.text += `$ unship ${path}${path === "" ? "" : " "}--help\n`;
      await program.parseAsync(["node", "unship", ...path.split(" ").filter(Boolean), "--help"]).catch(() => undefined);
      kept.text += "\n";
    }
    await shows("help.txt", kept.text);
  });
});
