import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";

const ROOT = join(import.meta.dirname, "../..");
const LONG_MS = 600_000;

/** The format of a replay's result, as docs/incident-bundle.md fixes it. */
const Time = z.iso.datetime();
const Probability = z.number().min(0).max(1);
const Suspect = z.strictObject({ change_id: z.string().min(1), probability: Probability });
const Episode = z
  .strictObject({
    detected_at: Time,
    onset_estimate: Time.nullable(),
    decided_at: Time.nullable(),
    service: z.string().min(1),
    signals: z.array(z.string()),
    affected_services: z.array(z.string()),
    root_causes: z.array(z.strictObject({ service: z.string(), score: Probability })),
    business_impact: z.enum(["low", "medium", "high", "critical"]).nullable(),
    action: z.enum(["rollback", "feature_flag_disable", "hotfix_recommendation", "no_action"]),
    culprit: Suspect.nullable(),
    candidates: z.array(Suspect),
    no_change_probability: Probability,
    targets: z.array(z.string()),
    guardrail: z
      .strictObject({ verdict: z.enum(["allow", "require_approval", "deny"]), reasons: z.array(z.string()) })
      .nullable(),
    executed_at: Time.nullable(),
    usage: z.strictObject({ input_tokens: z.int(), output_tokens: z.int(), tool_calls: z.int() }),
  })
  .check(({ value, issues }) => {
    const sum = value.candidates.reduce((all, { probability }) => all + probability, value.no_change_probability);
    const wrong = [
      ...(Math.abs(sum - 1) > 1e-6 ? [`probabilities sum to ${sum}`] : []),
      ...(isSorted(value.root_causes.map(({ score }) => -score)) ? [] : ["root causes are not the likeliest first"]),
      ...(value.action === "no_action" && value.executed_at !== null ? ["no action was executed"] : []),
    ];
    for (const message of wrong) issues.push({ code: "custom", message, input: value });
  });
const Result = z.array(
  z.strictObject({ id: z.string().min(1), episodes: z.array(Episode), samples: z.int().positive() }),
);

const isSorted = (values: readonly number[]) =>
  values.every((value, at) => at === 0 || (values[at - 1] ?? value) <= value);

describe("unship replay over all bundles", () => {
  const directory = mkdtempSync(join(tmpdir(), "unship-replay-"));
  const files = [join(directory, "first.json"), join(directory, "second.json")];
  const texts: string[] = [];

  beforeAll(async () => {
    for (const [index, file] of files.entries()) {
      const workers = index === 0 ? ["--workers", "1"] : [];
      const args = ["agent/main.ts", "replay", "evals/data/incidents", "--json", file, ...workers];
      const options = { cwd: ROOT, env: { PATH: process.env.PATH, HOME: directory }, timeout: LONG_MS };
      await promisify(execFile)(process.execPath, args, options);
      texts.push(readFileSync(file, "utf8"));
    }
  }, LONG_MS);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it("gives the same bytes on one core and on all", () => {
    expect(texts).toHaveLength(2);
    expect(texts[1] === texts[0]).toBe(true);
  });

  it("gives a valid result", () => {
    const read = Result.safeParse(JSON.parse(texts[0] ?? ""));
    expect(read.error === undefined ? "" : z.prettifyError(read.error)).toBe("");
  });

  it("has every bundle, sorted by id", () => {
    const ids = Result.parse(JSON.parse(texts[0] ?? "")).map(({ id }) => id);
    const folders = readdirSync(join(ROOT, "evals/data/incidents"), { withFileTypes: true });
    const known = folders
      .filter((entry) => entry.isDirectory())
      .map(
        ({ name }) => JSON.parse(readFileSync(join(ROOT, "evals/data/incidents", name, "incident.json"), "utf8")).id,
      );
    expect(ids).toHaveLength(16);
    expect(ids).toEqual(known.toSorted());
  });
});
