import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { draftPostmortem, writePostmortem } from "../../../agent/compose/postmortems.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Series } from "../../../core/model/signal.ts";
import type { Ledger } from "../../../core/ports.ts";
import { exampleConfig } from "../../../evals/replay/seed-config.ts";
import { incident, series } from "../../knowledge/incidents.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A place for drafts, without a ledger entry and without a memory. */
function desk() {
  const folder = mkdtempSync(join(tmpdir(), "unship-postmortems-"));
  folders.push(folder);
  const config = exampleConfig();
  const ledger: Pick<Ledger, "entries"> = { entries: async () => [] };
  const parts = {
    config: { ...config, ledger: { ...config.ledger, type: "sqlite" as const, path: join(folder, "ledger.db") } },
    ledger: ledger as Ledger,
    store: null,
  };
  const read = (name: string) => readFileSync(join(folder, "postmortems", name), "utf8");
  return { parts, read, folder: join(folder, "postmortems") };
}

/** As evidence after a rollback holds it: the judged values lack the incident, which stays in `asMeasured`. */
const setAside = (one: Series): Series => {
  const from = ((incident.onset?.at ?? 0) - one.startAt) / one.stepMs;
  const until = ((incident.gate?.executedAt ?? 0) - one.startAt) / one.stepMs;
  const values = one.values.map((value, index) => (index > from && index <= until ? null : value));
  return { ...one, values, asMeasured: one.values };
};
const evidence = (all: readonly Series[]) => ({ series: all }) as CaseFile;

describe("a postmortem's chart", () => {
  it("shows the incident that the rollback ended, though judgement sets its samples aside", async () => {
    const whole = desk();
    const cut = desk();
    await writePostmortem(incident, evidence(series), whole.parts);
    await writePostmortem(incident, evidence(series.map(setAside)), cut.parts);
    for (const name of [`${incident.id}.md`, `${incident.id}.svg`]) expect(cut.read(name)).toBe(whole.read(name));
    expect(series.map(setAside).some(({ values }) => values.includes(null))).toBe(true);
  });

  it("is in the draft on demand as in the one that was written, long after the samples are gone", async () => {
    const { parts, read } = desk();
    await writePostmortem(incident, evidence(series), parts);
    const written = read(`${incident.id}.md`);
    expect(written).toContain("top of the bars");
    expect(await draftPostmortem(incident, { ...parts, format: "md" })).toBe(written);
    expect(await draftPostmortem(incident, { ...parts, format: "html" })).toContain("top of the bars");
  });

  it("stays when the draft is brought up to date without samples", async () => {
    const { parts, read } = desk();
    await writePostmortem(incident, evidence(series), parts);
    const written = read(`${incident.id}.md`);
    await writePostmortem(incident, null, parts);
    expect(read(`${incident.id}.md`)).toBe(written);
  });

  it.each(["", "[{]", '[{"service":"checkout"}]', "null"])(
    "is missing, and said to be, where its samples are %j",
    async (text) => {
      const { parts, folder } = desk();
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, `${incident.id}.samples.json`), text);
      expect(await draftPostmortem(incident, { ...parts, format: "md" })).toContain("No chart");
    },
  );
});
