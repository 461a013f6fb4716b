import { describe, expect, it } from "vitest";
import { BASE, eachIs, type Mistake, mistaken, saidOf } from "./harness.ts";

/** How the text of a YAML file goes wrong. */
const WRITING: readonly Mistake[] = [
  {
    what: "a key one space too far left",
    from: "        threshold: 0.05 # 5",
    to: "       ‸threshold: 0.05 # 5",
    says: /indentation does not fit/,
  },
  {
    what: "a key one space too far right",
    from: "    type: prometheus",
    to: "     ‸type: prometheus",
    says: /indentation does not fit/,
  },
  {
    what: "a key at its parent's level",
    from: "    escalate_to_human_after: 2",
    to: "  ‸escalate_to_human_after: 2",
    says: /indentation does not fit/,
  },
  {
    what: "a section that is not indented",
    from: `  guardrails:
    max_auto_rollbacks_per_day: 5
    cooldown_between_rollbacks: 10m
    escalate_to_human_after: 2
    never_auto_rollback: ["billing"]
    blast_radius:
      services: 3
      traffic_share: 0.5
`,
    to: `‸guardrails:
  max_auto_rollbacks_per_day: 5
  cooldown_between_rollbacks: 10m
  escalate_to_human_after: 2
  never_auto_rollback: ["billing"]
  blast_radius:
    services: 3
    traffic_share: 0.5
`,
    says: /no key "guardrails" at the top/,
  },
  { what: "a tab", from: "        duration: 3m", to: "‸\tduration: 3m", says: /a tab as indentation/ },
  {
    what: "no space after a colon",
    from: "        duration: 3m",
    to: "        duration:‸3m",
    says: /no space after the colon/,
  },
  { what: "no colon", from: "  deployments:\n", to: "  deployments‸\n", says: /no colon after the key/ },
  {
    what: "no space after a dash",
    from: "    - type: kubectl_rollout_undo",
    to: "    -‸type: kubectl_rollout_undo",
    says: /no space after the dash/,
  },
  {
    what: "an entry without its dash",
    from: "      - health_check_failures: 3",
    to: "        ‸health_check_failures: 3",
    says: /conditions\[1\] has "health_check_failures" beside metric, threshold, duration/,
  },
  {
    what: "a dash before a name",
    from: "  checkout:\n    namespace",
    to: "  ‸- checkout:\n    namespace",
    says: /a list where names/,
  },
  {
    what: "a quote that is not closed",
    from: 'unit: "req/s"',
    to: 'unit: "req/s‸',
    says: /a quote that is still open/,
  },
  {
    what: "a bracket that is not closed",
    from: "{ kind: Deployment, name: checkout }",
    to: "{ kind: Deployment, name: checkout‸",
    says: /a bracket that is still open/,
  },
  {
    what: "double quotes within double quotes",
    from: `'sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))'`,
    to: `‸"sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))"`,
    says: /double quotes within double quotes/,
  },
  {
    what: "a star without quotes",
    from: '    - type: kubectl_rollout_undo\n      namespaces: ["production"]',
    to: "    - type: kubectl_rollout_undo\n      namespaces: [‸*]",
    says: /reads as something else/,
  },
  { what: "a cron pattern without quotes", from: '"0 17 * * 5"', to: "‸* 17 * * 5", says: /reads as something else/ },
  {
    what: "a colon within a text",
    from: '"compare anomaly start time with deployment timestamps"',
    to: "‸note: compare anomaly start time with deployment timestamps",
    says: /reads as something else/,
  },
  {
    what: "a blank that is no space, as web pages have it",
    from: "        duration: 10m",
    to: "        duration:‸\u00A010m",
    says: /a blank that is no plain space/,
  },
  {
    what: "a key that is given twice",
    from: "watch:\n  step: 15s",
    to: "watch:\n  step: 15s\n  ‸step: 30s",
    says: /the key "step" is given twice/,
  },
  {
    what: "a second document",
    from: "rollback_policies:\n",
    to: "‸---\nrollback_policies:\n",
    says: /a second document begins/,
  },
  {
    what: "an alias of nothing",
    from: "[error_rate, p99_latency]",
    to: "‸*metrics",
    says: /there is no anchor "metrics"/,
    person: "[error_rate, p99_latency]",
  },
  {
    what: "a merge key",
    from: "watch:\n",
    to: "watch:\n  ‸<<: {step: 15s}\n",
    says: /a merge key \(<<\)/,
  },
  {
    what: "a number with a zero in front",
    from: "max_rollbacks_per_hour: 3",
    to: "max_rollbacks_per_hour: ‸03",
    says: /a number with a zero in front/,
  },
  {
    what: "a comment that swallows a word",
    from: "criticality: high",
    to: "criticality: ‸#high",
    says: /services\.billing\.criticality is empty: what follows # is a comment/,
  },
  {
    what: "a channel that is a comment",
    from: 'action: notify_and_recommend\n    notification: ["slack:#incidents"]',
    to: "action: notify_and_recommend\n    notification:\n      - ‸#incidents",
    says: /notification\[0\] is empty: what follows # is a comment/,
  },
  {
    what: "a channel whose bracket is in a comment",
    from: 'action: notify_and_recommend\n    notification: ["slack:#incidents"]',
    to: "action: notify_and_recommend\n    notification: [‸slack: #incidents]",
    says: /reads as something else/,
  },
  {
    what: "quotes of a word processor",
    from: 'action: notify_and_recommend\n    notification: ["slack:#incidents"]',
    to: "action: notify_and_recommend\n    notification: [‸“slack:#incidents”]",
    says: /notification\[0\] .*“slack:#incidents”|typographic quotes/,
  },
  {
    what: "a key with nothing beneath it",
    from: "  billing:\n    namespace: production\n    criticality: high\n",
    to: "  billing:‸\n",
    says: /services\.billing must be a map of keys, not nothing/,
    person: "  billing: {}\n",
  },
];

describe("what goes wrong in the writing", () => {
  eachIs("refused", WRITING);

  it("nothing is said of the base file, whatever ends its lines", () => {
    const { variables } = mistaken({ what: "none", from: "watch:", to: "‸watch:", says: /./ });
    for (const text of [BASE, BASE.replaceAll("\n", "\r\n"), `\uFEFF${BASE}`, `---\n${BASE}`])
      expect(saidOf({ text, variables })).toEqual({ verdict: "sound", said: [] });
  });

  it("two mistakes in the writing are each named where the parser meets them, since no one edit is enough", () => {
    const { text, variables } = mistaken({
      what: "two",
      from: "        duration: 3m",
      to: "‸\tduration: 3m",
      says: /./,
    });
    const { verdict, said } = saidOf({ text: text.replace('unit: "req/s"', 'unit: "req/s'), variables });
    expect(verdict).toBe("refused");
    expect(said.length).toBeGreaterThan(0);
    expect(said.every(({ message }) => message.startsWith("not readable as YAML: "))).toBe(true);
  });

  it("an empty file says with what to begin", () => {
    const { verdict, said } = saidOf({ text: "# to do\n", variables: {} });
    expect({ verdict, said }).toEqual({
      verdict: "refused",
      said: [
        expect.objectContaining({ line: 1, column: 1, hint: "begin with data_sources; see examples/unship.yaml" }),
      ],
    });
    const begun = 'data_sources: {metrics: {type: prometheus, endpoint: "http://prometheus:9090"}}\n';
    expect(saidOf({ text: begun, variables: {} })).toEqual({ verdict: "sound", said: [] });
  });
});
