import { describe, expect, it } from "vitest";
import { stillJudged, withDoubt } from "../../../agent/watch/still-judged.ts";
import type { CaseFile } from "../../../core/model/assessment.ts";
import type { Incident, Recovery } from "../../../core/model/incident.ts";
import { firing, NOW, targetOf } from "../../core/guardrails/rule-inputs.ts";

/** `checkout` and `payments` were taken back; `web` calls both and suffered, `search` calls neither. */
const topology: CaseFile["topology"] = {
  edges: [
    ["web", "checkout"],
    ["web", "payments"],
    ["web", "search"],
    ["checkout", "stock"],
  ],
  external: [],
};
const acted = ["checkout", "payments"];
const incidentWith = (wrong: readonly string[]): Incident =>
  ({
    findings: [],
    conditions: wrong.map((service) => firing({ service })),
    baselines: ["checkout", "payments", "web", "search"].map((service) => ({ service, metric: "error_rate" })),
    gate: {
      executedAt: NOW,
      results: acted.map((name) => ({ target: targetOf({ name }), result: "done", detail: "", at: NOW, warnings: [] })),
    },
  }) as unknown as Incident;

interface Asked {
  readonly conditions: readonly string[];
  readonly targets: readonly string[];
  readonly doubtful: readonly string[];
}

describe("what still speaks of an act after somebody changed some of its services again", () => {
  const all = ["checkout", "payments", "search", "web"];
  const rows: readonly (readonly [string, readonly string[], readonly string[], CaseFile["topology"], Asked | null])[] =
    [
      ["all of it, where nobody did", all, [], topology, { conditions: all, targets: acted, doubtful: [] }],
      [
        "the other target, and who does not call what was changed",
        all,
        ["payments"],
        topology,
        { conditions: ["checkout", "search"], targets: ["checkout"], doubtful: [] },
      ],
      [
        "a target that calls what was changed, with doubt",
        all,
        ["stock"],
        topology,
        { conditions: ["checkout", "payments", "search"], targets: acted, doubtful: ["checkout"] },
      ],
      [
        "without a call graph the other target alone, with doubt",
        all,
        ["payments"],
        null,
        { conditions: ["checkout"], targets: ["checkout"], doubtful: ["checkout"] },
      ],
      ["nothing, where every target was changed", all, acted, topology, null],
      ["nothing, where what was wrong is out of sight", ["payments", "web"], ["payments"], topology, null],
      [
        "the other target's baselines, where nothing was wrong by itself",
        [],
        ["payments"],
        topology,
        { conditions: [], targets: ["checkout"], doubtful: [] },
      ],
    ];
  it.each(rows)("%s", (_, wrong, changed, graph, expected) => {
    const moved = changed.map((service) => ({ service, what: "changed" }));
    const judged = stillJudged(incidentWith(wrong), moved, graph);
    if (judged === null || expected === null) return expect(judged).toBe(expected);
    expect({
      conditions: judged.incident.conditions.map(({ service }) => service).sort(),
      targets: judged.incident.gate?.results.map(({ target }) => target.service),
      doubtful: [...judged.doubtful],
    }).toEqual(expected);
    expect(judged.incident.baselines.map(({ service }) => service)).not.toContain(changed[0]);
  });
});

describe("the verdict on services that depend on what was changed again", () => {
  type Verdict = Recovery["verdict"];
  const check = (service: string, verdict: Verdict, metric = "error_rate") => ({
    service,
    metric,
    verdict,
    because: "so it is",
  });
  const rows: readonly (readonly [string, Verdict, readonly Recovery["checks"][number][], Verdict])[] = [
    ["that they are well is believed", "recovered", [check("checkout", "recovered")], "recovered"],
    ["that they are not is unknown (S9)", "not-recovered", [check("checkout", "not-recovered")], "unknown"],
    [
      "that another is not is believed",
      "not-recovered",
      [check("checkout", "not-recovered"), check("payments", "not-recovered")],
      "not-recovered",
    ],
    [
      "that their rollout is not finished is believed",
      "not-recovered",
      [check("checkout", "not-recovered", "rollout")],
      "not-recovered",
    ],
    ["what is pending stays so", "pending", [check("checkout", "pending")], "pending"],
  ];
  it.each(rows)("%s", (_, verdict, checks, expected) => {
    expect(withDoubt({ verdict, at: NOW, checks: [...checks] }, new Set(["checkout"])).verdict).toBe(expected);
  });
});
