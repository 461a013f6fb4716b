// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { describe, expect, it } from "vitest";
import { formatProblem } from "../../../../core/config/load.ts";
import { mistaken, saidOf } from "./harness.ts";

/** What resembles a mistake and is none: a part of the base file, and what is there instead. */
const SOUND: readonly (readonly [what: string, from: string, to: string])[] = [
  [
    "a shell that fills in its own variable",
    "  feature_flags:\n",
    '  migrations: [{name: orders, service: checkout, status: ["sh", "-c", "psql -h $PGHOST -f status.sql"]}]\n  feature_flags:\n',
  ],
  [
    "an absolute shell, with another's spelling as the whole argument",
    "  feature_flags:\n",
    '  migrations: [{name: orders, service: checkout, status: ["/bin/bash", "-c", "$STATUS"]}]\n  feature_flags:\n',
  ],
  [
    "a message in typographic quotes, with a dollar",
    "    - auto_generate_postmortem_draft: true",
    "    - if_not_recovered: {action: escalate_to_human, message: “See $RUNBOOK.”}\n    - auto_generate_postmortem_draft: true",
  ],
  ["a shard that counts", "    - [checkout, billing]\n", "    - [checkout, billing-2]\n"],
  ["a shard by letter", "    - [checkout, billing]\n", "    - [checkout, billing-b]\n"],
  [
    "an external that resembles a service",
    '    - [checkout, payment-provider]\n  external: ["payment-provider"]',
    '    - [checkout, billings]\n  external: ["billings"]',
  ],
  ["a short name near another", "    - [checkout, billing]\n", "    - [checkout, mail]\n"],
  ["a service that nothing else names", "    rollbacks: approve\n", "    rollbacks: approve\n    services: [search]\n"],
  [
    "people asked at a higher value, but sooner",
    "threshold: 0.02\n        upper_bound: 0.05\n        duration: 5m",
    "threshold: 0.08\n        duration: 1m",
  ],
  [
    "people asked at two values, one of them below what acts",
    "      - metric: checkout_orders\n",
    "      - metric: error_rate\n        threshold: 0.2\n        duration: 5m\n      - metric: checkout_orders\n",
  ],
  ["a duration of one step", "        duration: 3m", "        duration: 15s"],
  ["a duration of nothing", "        duration: 3m", "        duration: 0s"],
  ["rights to one of two allowed actions", '    services: ["billing"]\n', "    actions: [feature_flag_disable]\n"],
  [
    "rights up to the least important service of one's own",
    '    services: ["billing"]\n',
    '    services: ["billing"]\n    up_to: high\n',
  ],
  ["a namespace, where all are read", '    namespaces: ["production"]\n  logs', '    namespaces: ["*"]\n  logs'],
  ["a zero before a point", "traffic_share: 0.5", "traffic_share: 00.5"],
];

describe("what resembles a mistake and is none", () => {
  it.each(SOUND)("%s is sound", (_, from, to) => {
    const { text, variables } = mistaken({ what: "", from, to: `‸${to}`, says: /./ });
    expect(saidOf({ text, variables }).said.map(formatProblem)).toEqual([]);
  });
});
