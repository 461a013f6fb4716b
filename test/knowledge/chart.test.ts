import { describe, expect, it } from "vitest";
import { postmortemChart } from "../../knowledge/chart.ts";
import { incident, series } from "./incidents.ts";
import { HOSTILE, unmended } from "./variants.ts";

describe("the postmortem's chart", () => {
  it("is the same bytes each time, and names every mark", async () => {
    const first = await postmortemChart(incident, series);
    expect(await postmortemChart(incident, series)).toBe(first);
    for (const mark of ["change", "onset", "detected", "action", "recovered", "checkout error_rate", "14:10"]) {
      expect(first).toContain(mark);
    }
  });

  it("has room for the name of every mark, also of one at the last sample", async () => {
    const untilItsEnd = series.map((one) => ({
      ...one,
      values: one.values.filter((_, i) => one.startAt + i * one.stepMs <= (incident.closedAt ?? 0)),
    }));
    for (const known of [series, untilItsEnd]) {
      const svg = (await postmortemChart(incident, known)) ?? "";
      const names = [...svg.matchAll(/text-anchor="middle"[^>]*translate\(([\d.]+) [^>]*>([a-z]+)</g)];
      expect(names.map(([, , name]) => name)).toContain("recovered");
      // Letters of 12 pixels are 7 wide at most in the mean.
      for (const [, at = "", name = ""] of names) expect(Number(at) + (name.length / 2) * 7).toBeLessThan(860);
    }
  });

  it("marks no recovery that was not verified", async () => {
    expect(await postmortemChart(unmended, series)).not.toContain("recovered");
  });

  it("is absent where the samples of the signals that got worse are not at hand", async () => {
    expect(await postmortemChart(incident, [])).toBeNull();
    expect(
      await postmortemChart(
        incident,
        series.map((one) => ({ ...one, service: "search" })),
      ),
    ).toBeNull();
  });

  it("leaves a gap where a sample is missing", async () => {
    const lines = (svg: string | null) => svg?.match(/<path d="[^"]*" fill="none"[^>]*stroke="#333333"/g)?.[0] ?? "";
    const gapped = series.map((one) => ({
      ...one,
      values: one.values.map((value, index) => (index === 55 ? null : value)),
    }));
    const moves = (path: string) => path.match(/M/g)?.length ?? 0;
    expect(moves(lines(await postmortemChart(incident, gapped)))).toBe(
      moves(lines(await postmortemChart(incident, series))) + 1,
    );
  });

  it("draws hostile names as text", async () => {
    const findings = incident.findings.map((one) => ({ ...one, service: HOSTILE }));
    const svg = await postmortemChart(
      { ...incident, findings },
      series.map((one) => ({ ...one, service: HOSTILE })),
    );
    expect(svg).not.toMatch(/<script|<img|onerror=[^&]*>/);
    expect(svg).not.toContain("hunter2secret");
  });
});
