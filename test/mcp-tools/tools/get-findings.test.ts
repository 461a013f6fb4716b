import { describe, expect, it } from "vitest";
import { callTool } from "../call-tool.ts";
import { caseFile, condition, context, finding } from "../scenario.ts";

describe("get_findings", () => {
  it("gives what is wrong with figures, and the conditions that hold, and leaves out what is fine", async () => {
    const { structured } = await callTool(context(), "get_findings");
    expect(structured).toMatchObject({
      affected: { services: ["checkout"], origin: "checkout" },
      findings: [
        { service: "checkout", verdict: "worse", baseline: 0.002, current: 0.31, onset: "2026-03-02T14:11:00.000Z" },
      ],
      conditions: [{ policy: "auto_rollback", state: "firing", text: "error_rate > 0.05 for 3m" }],
    });
    const { structured: all } = await callTool(context(), "get_findings", { all: true });
    expect(all).toMatchObject({ total: 2, conditions: [{ state: "firing" }, { state: "inactive" }] });
  });

  it("says why a condition holds, unless a finding beside it says so in the same words", async () => {
    const conditions = [{ ...condition, because: finding.because }, condition];
    const { structured } = await callTool(context({ caseFile: async () => caseFile({ conditions }) }), "get_findings");
    const shown = structured?.conditions as { because?: string }[];
    expect(shown.map(({ because }) => because)).toEqual([undefined, condition.because]);
  });

  it("shows what is unknown: it is not fine", async () => {
    const findings = [{ ...finding, verdict: "unknown" as const, baseline: null, current: null, onset: null }];
    const { structured } = await callTool(context({ caseFile: async () => caseFile({ findings }) }), "get_findings");
    expect(structured?.findings).toMatchObject([{ verdict: "unknown", current: null }]);
  });

  it("works with the answers it is given and with those alone", async () => {
    const { structured } = await callTool(context(), "get_findings", { known: {} });
    expect(structured?.affected).toEqual({ services: ["checkout"], origin: null });
  });

  it("answers the same question of the same evidence with the same words, and clean, and newer evidence anew", async () => {
    const because = "error_rate rose\u0007, password=hunter2secret";
    const file = caseFile({ findings: [{ ...finding, because }] });
    const world = context({ caseFile: async () => file });
    const first = await callTool(world, "get_findings");
    expect(first.text).not.toContain("hunter2secret");
    expect(await callTool(world, "get_findings")).toEqual(first);
    expect((await callTool(world, "get_findings", { service: "search" })).structured?.findings).toEqual([]);
    const newer = context({ caseFile: async () => caseFile({ ...file, findings: [] }) });
    expect((await callTool(newer, "get_findings")).structured?.findings).toEqual([]);
  });

  it("keeps what it answered from a caller in the same process who would change it", async () => {
    const world = context({ caseFile: async () => file });
    const file = caseFile();
    const { structured } = await callTool(world, "get_findings");
    const findings = structured?.findings as { service: string }[];
    expect(() => Object.assign(findings[0] ?? {}, { service: "nobody" })).toThrow(TypeError);
    expect((await callTool(world, "get_findings")).structured).toMatchObject({ findings: [{ service: "checkout" }] });
  });
});
