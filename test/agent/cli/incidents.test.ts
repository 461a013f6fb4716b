import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { openWatchWorld } from "../watch/watch-world.ts";
import { openDesk, ROOT, unship } from "./run-cli.ts";

const CASE = "case-7b2f8253";
const BUNDLE = join(ROOT, "evals/data/incidents", CASE);

const time = z.iso.datetime();
const probability = z.number().min(0).max(1);
const suspect = z.strictObject({ change_id: z.string(), probability });
/** docs/incident-bundle.md, one element of `episodes`. */
const Episode = z.strictObject({
  detected_at: time,
  onset_estimate: time.nullable(),
  decided_at: time.nullable(),
  service: z.string(),
  signals: z.array(z.string()),
  affected_services: z.array(z.string()),
  root_causes: z.array(z.strictObject({ service: z.string(), score: probability })),
  business_impact: z.enum(["low", "medium", "high", "critical"]).nullable(),
  action: z.enum(["rollback", "feature_flag_disable", "hotfix_recommendation", "no_action"]),
  culprit: suspect.nullable(),
  candidates: z.array(suspect),
  no_change_probability: probability,
  targets: z.array(z.string()),
  guardrail: z
    .strictObject({ verdict: z.enum(["allow", "require_approval", "deny"]), reasons: z.array(z.string()) })
    .nullable(),
  executed_at: time.nullable(),
  usage: z.strictObject({ input_tokens: z.number(), output_tokens: z.number(), tool_calls: z.number() }),
});
const Replayed = z.array(z.strictObject({ id: z.string(), episodes: z.array(Episode), samples: z.number().int() }));

describe("unship investigate --bundle", () => {
  it("needs no file and no secret, and gives the answer first, then the reasons, then how it came to it", async () => {
    const { code, out, err } = await unship(["investigate", "--bundle", BUNDLE]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const lines = out.split("\n");
    expect(lines[0]).toBe("Decision: rollback of inventory v2.13.0 (> 99 %). Nothing was executed.");
    for (const title of ["Because:", "Needs a person:", "Suspects:", "Affected:", "How it came to that:"])
      expect(lines).toContain(title);
    expect(out).toMatch(/check_affected_services: .*it starts at inventory/);
    expect(out).not.toContain("undefined");
  });

  it("--json is one episode of the bundle's format and nothing else", async () => {
    const { code, out, err } = await unship(["investigate", "--bundle", BUNDLE, "--service", "checkout", "--json"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const episode = Episode.parse(JSON.parse(out));
    expect(episode).toMatchObject({
      action: "rollback",
      culprit: { change_id: "deploy-inventory-7" },
      executed_at: null,
    });
    const all = episode.candidates.reduce((sum, one) => sum + one.probability, episode.no_change_probability);
    expect(all).toBeCloseTo(1, 6);
  });

  it("takes the file that -c names instead of the seed's", async () => {
    using desk = openDesk();
    writeFileSync(
      desk.config,
      readFileSync(desk.config, "utf8")
        .replace(/, hotfix_recommendation, no_action\]/, ", no_action]")
        .replace("[rollback, ", "["),
    );
    const { code, out } = await desk.run(["investigate", "--bundle", BUNDLE]);
    expect(code).toBe(0);
    expect(out).toMatch(/^Decision: no_action/);
    expect(out).toContain("rollback is not among the choices of recommend_action");
  });

  it.each([
    ["a service that is not there", ["--service", "nope"], /no service nope; known are accounts, auth, cart/],
    ["a metric that is not there", ["--metric", "nope"], /no metric nope; known are .*error_rate/],
    [
      "a moment before the recording",
      ["--at", "2020-01-01T00:00:00Z"],
      /2020-01-01T00:00:00.000Z is not between 2026-/,
    ],
  ] as const)("%s: exit code 2, with what there is", async (_, words, said) => {
    const { code, out, err } = await unship(["investigate", "--bundle", BUNDLE, ...words]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(said);
  });
});

describe("unship replay", () => {
  it("--json is the bundle's result format on standard output alone; timing goes to standard error", async () => {
    const { code, out, err } = await unship(["replay", BUNDLE, "--json"]);
    expect(code).toBe(0);
    const [result] = Replayed.parse(JSON.parse(out));
    expect(result).toMatchObject({
      id: CASE,
      episodes: [{ action: "rollback", guardrail: { verdict: "require_approval" } }],
    });
    expect(err).toMatch(/^1 bundles, \d+ samples in /);
  });

  it("--json FILE writes the same there, and words for people to standard output", async () => {
    using desk = openDesk();
    const file = join(desk.folder, "out.json");
    const { code, out } = await unship(["replay", BUNDLE, "--json", file, "--score"]);
    expect(code).toBe(0);
    expect(Replayed.parse(JSON.parse(readFileSync(file, "utf8")))).toHaveLength(1);
    expect(out).toMatch(
      /^case-7b2f8253 {2}rollback of deploy-inventory-7 \((?:> 99|9\d) %\)\n {2}decided .*, not executed: it needs a person\n/,
    );
    expect(out).toContain("precision 1.000");
  });

  it("--mode observe: decided the same, denied by the gate, nothing executed", async () => {
    const { out } = await unship(["replay", BUNDLE, "--mode", "observe", "--json"]);
    expect(Replayed.parse(JSON.parse(out))[0]?.episodes[0]).toMatchObject({
      action: "rollback",
      executed_at: null,
      guardrail: { verdict: "deny" },
    });
  });

  it.each([
    ["series.jsonl", 3, "{not json", /series\.jsonl:3: is no JSON/],
    ["changes.jsonl", 1, '{"id": "x"}', /changes\.jsonl:1: /],
  ] as const)(
    "a bundle whose %s is broken in line %i: exit code 2, with file and line",
    async (name, line, put, said) => {
      const folder = mkdtempSync(join(tmpdir(), "unship-bundle-"));
      try {
        cpSync(BUNDLE, folder, { recursive: true });
        const path = join(folder, name);
        if (existsSync(`${path}.gz`)) rmSync(`${path}.gz`);
        const lines = [
          '{"service":"a","metric":"error_rate","unit":"ratio","start":1771000000,"step":30,"values":[0]}',
          '{"service":"b","metric":"error_rate","unit":"ratio","start":1771000000,"step":30,"values":[0]}',
        ].slice(0, line - 1);
        writeFileSync(path, [...lines, put].join("\n"));
        const { code, out, err } = await unship(["replay", folder]);
        expect({ code, out }).toEqual({ code: 2, out: "" });
        expect(err).toMatch(said);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
});

describe("unship postmortem", () => {
  async function closedIncident() {
    const world = await openWatchWorld({ onDisk: true, startAt: Date.now() });
    world.troubles = [world.trouble()];
    await world.step();
    world.recovery = "recovered";
    world.troubles = [];
    await world.step();
    return { world, id: (await world.incident()).id };
  }

  it("drafts in Markdown, in HTML, and into a file", async () => {
    const { world, id } = await closedIncident();
    await using _ = world;
    using desk = openDesk({ ledger: world.ledgerPath });
    const markdown = await desk.run(["postmortem", id]);
    expect(markdown).toMatchObject({ code: 0, err: "" });
    expect(markdown.out).toMatch(/^# /);
    expect(markdown.out).toContain("## Timeline");
    const html = await desk.run(["postmortem", id, "--format", "html"]);
    expect(html.out).toMatch(/^<!doctype html>/i);
    const file = join(desk.folder, "draft.md");
    const written = await desk.run(["postmortem", id, "-o", file]);
    expect(written.out).toBe(`Written: ${file}\n`);
    expect(readFileSync(file, "utf8").trimEnd()).toBe(markdown.out.trimEnd());
    const asJson = await desk.run(["postmortem", id, "--json"]);
    expect(JSON.parse(asJson.out)).toEqual({ incident: id, format: "md", text: readFileSync(file, "utf8") });
  });

  it("of an incident that nobody knows: exit code 1", async () => {
    using desk = openDesk();
    await (await openSqliteLedger(join(desk.folder, "ledger.db"), { clock: { now: () => 0 } })).close();
    const { code, out, err } = await desk.run(["postmortem", "inc-nope"]);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("There is no incident inc-nope");
  });
});
