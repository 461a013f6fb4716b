// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { describe } from "vitest";
import { eachIs, type Mistake } from "./harness.ts";

const TOKEN = '"${UNLEASH_TOKEN}"';
const OF_GRACE = '"ed25519:MXlIUY73Z2rbhH4zCF0XQI7yIbYwy_eCdL52Ui9Wi9I"';
const OF_ADA = '"ed25519:fHz4XpQKr0itJPEU91WKxxnhTD5xQE_9Ml9p1xRDWcg"';
const RIGHTS = '    services: ["billing"]\n';
const PAGER = '"pagerduty:oncall"]\n  human';

const REFERENCES: readonly Mistake[] = [
  {
    what: "a misspelt variable",
    from: TOKEN,
    to: '‸"${UNLEASH_TOKN}"',
    says: /feature_flags\.token needs the variable UNLEASH_TOKN/,
  },
  {
    what: "a variable that is not set",
    from: TOKEN,
    to: '‸"${FLAGS_SECRET}"',
    says: /variable FLAGS_SECRET, which is not set/,
  },
  {
    what: "a shell's variable",
    from: TOKEN,
    to: "‸$UNLEASH_TOKEN",
    says: /names the variable UNLEASH_TOKEN as another tool/,
  },
  {
    what: "Kubernetes' variable",
    from: TOKEN,
    to: '‸"$(UNLEASH_TOKEN)"',
    says: /variable UNLEASH_TOKEN as another tool/,
  },
  {
    what: "Helm's variable",
    from: TOKEN,
    to: '‸"{{ .Values.UNLEASH_TOKEN }}"',
    says: /variable UNLEASH_TOKEN as another/,
  },
  { what: "Windows' variable", from: TOKEN, to: '‸"%UNLEASH_TOKEN%"', says: /variable UNLEASH_TOKEN as another tool/ },
  {
    what: "a variable with a default",
    from: TOKEN,
    to: '‸"${UNLEASH_TOKEN:-none}"',
    says: /says more of the variable UNLEASH_TOKEN than its name/,
  },
  {
    what: "a variable with a prefix",
    from: TOKEN,
    to: '‸"${env.UNLEASH_TOKEN}"',
    says: /says more of the variable UNLEASH_TOKEN than its name/,
  },
  {
    what: "a shell's variable within a URL",
    from: '"http://unleash.platform.svc:4242"',
    to: '‸"http://$UNLEASH_HOST:4242"',
    says: /feature_flags\.endpoint names the variable UNLEASH_HOST/,
    set: { UNLEASH_HOST: "unleash.platform.svc" },
  },
  {
    what: "a scheme before a secret",
    from: '"${PROMETHEUS_TOKEN}"',
    to: '‸"Bearer ${PROMETHEUS_TOKEN}"',
    says: /mixes text with/,
  },
  { what: "the path of a secret", from: TOKEN, to: "‸/run/secrets/unleash", says: /token is the path of a file/ },
];

const QUERIES: readonly Mistake[] = [
  {
    what: "a bracket too few",
    from: 'p99_latency: "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))"',
    to: 'p99_latency: "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))‸"',
    says: /queries\.p99_latency is no PromQL from character/,
    person: 'p99_latency: "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))"',
  },
  {
    what: "a misspelt metric",
    from: "metric: p99_latency",
    to: "metric: ‸p99_latencies",
    says: /"p99_latencies", which no query/,
  },
  {
    what: "a comparison in the wrong direction",
    from: "threshold: 2000 # ms\n",
    to: "threshold: 2000 # ms\n        comparison: ‸less_than\n",
    says: /comparison is less_than, but p99_latency degrades when it goes up/,
  },
  {
    what: "no comparison where less is bad",
    from: "      - metric: checkout_orders\n        comparison: less_than\n",
    to: "      - ‸metric: checkout_orders\n",
    says: /fires above its threshold, but checkout_orders degrades when it goes down/,
  },
  {
    what: "bounds that are the wrong way round",
    from: "threshold: 0.02\n        upper_bound: 0.05",
    to: "threshold: 0.05\n        upper_bound: ‸0.02",
    says: /upper_bound is 0\.02: the threshold 0\.05 is above it/,
    person: "threshold: 0.02\n        upper_bound: 0.05",
  },
  {
    what: "a window in no unit",
    from: "last 30 minutes",
    to: "last 30‸",
    says: /"30" has no unit/,
    person: "last 30 minutes",
  },
  {
    what: "a choice that is none",
    from: "hotfix_recommendation, no",
    to: "‸hotfix, no",
    says: /"hotfix", which is no action/,
  },
  {
    what: "a fact that is none",
    from: "affected_services > 3",
    to: "‸affected_service > 3",
    says: /no fact "affected_service"/,
  },
];

const PEOPLE: readonly Mistake[] = [
  {
    what: "an approver without a token",
    from: `  - name: grace\n    token_key: ${OF_GRACE}\n`,
    to: "  - name: ‸grace\n",
    says: /name "grace" has nothing to show/,
    person: `  - name: grace\n    token_key: ${OF_GRACE}\n`,
  },
  {
    what: "two approvers of one token",
    from: OF_GRACE,
    to: `‸${OF_ADA}`,
    says: /approvers\[1\]\.token_key is the same as that of approvers\[0\]/,
    person: OF_GRACE,
  },
  {
    what: "two approvers of one name",
    from: "name: grace",
    to: "name: ‸Ada",
    says: /approvers\[1\]\.name is "Ada", which is given above/,
    person: "name: grace",
  },
  {
    what: "an approver of a misspelt service",
    from: RIGHTS,
    to: '    services: [‸"billling"]\n',
    says: /"billling", which is no service/,
  },
  {
    what: "an approver of a misspelt action",
    from: RIGHTS,
    to: "    actions: [‸rollout_undo]\n",
    says: /cannot be "rollout_undo"/,
  },
  {
    what: "a notification to an unknown kind",
    from: PAGER,
    to: '‸"page:oncall"]\n  human',
    says: /"page:oncall", a kind of target/,
    person: PAGER,
  },
  {
    what: "a misspelt kind",
    from: PAGER,
    to: '‸"pagerdty:oncall"]\n  human',
    says: /"pagerdty:oncall", a kind of target/,
  },
  {
    what: "a channel without its kind",
    from: 'action: notify_and_recommend\n    notification: ["slack:#incidents"]',
    to: 'action: notify_and_recommend\n    notification: [‸"#incidents"]',
    says: /"#incidents" is no notification target/,
  },
  {
    what: "a target that is no list",
    from: 'action: notify_and_recommend\n    notification: ["slack:#incidents"]',
    to: 'action: notify_and_recommend\n    notification: ‸"slack:#incidents"',
    says: /notification must be a list, not "slack:#incidents"/,
  },
  {
    what: "a protected name with a slip",
    from: '["billing"]\n    blast',
    to: '[‸"biling"]\n    blast',
    says: /"biling", which matches nothing/,
  },
  {
    what: "an external with a slip",
    from: 'external: ["payment-provider"]',
    to: 'external: [‸"payment-providr"]',
    says: /"payment-providr", which no edge/,
  },
  {
    what: "a pattern for a name",
    from: '    - type: feature_flag_disable\n      environments: ["production"]',
    to: '    - type: feature_flag_disable\n      environments: [‸"prod*"]',
    says: /environments\[0\] is "prod\*": names are exact/,
    person: '    - type: feature_flag_disable\n      environments: ["production"]',
  },
];

describe.each([
  ["references", REFERENCES],
  ["queries and conditions", QUERIES],
  ["people and names", PEOPLE],
])("what goes wrong with %s", (_, rows) => {
  eachIs("refused", rows);
});

const EFFECTLESS: readonly Mistake[] = [
  {
    what: "a secret in plain text",
    from: TOKEN,
    to: '‸"default:production.f4c3b2a1"',
    says: /token is the secret itself/,
  },
  {
    what: "a page to a key that is called otherwise",
    from: PAGER,
    to: '‸"pagerduty:on-call"]\n  human',
    says: /pages nobody/,
  },
  {
    what: "a gap between the zones",
    from: "upper_bound: 0.05",
    to: "upper_bound: ‸0.04",
    says: /upper_bound is 0\.04, and auto_rollback rolls back above 0\.05/,
  },
  {
    what: "people asked later than what acts",
    from: "threshold: 0.02\n        upper_bound: 0.05\n",
    to: "threshold: ‸0.08\n",
    says: /threshold is 0\.08, though auto_rollback rolls back above 0\.05/,
  },
  {
    what: "a namespace that nothing reads",
    from: '    - type: kubectl_rollout_undo\n      namespaces: ["production"]',
    to: '    - type: kubectl_rollout_undo\n      namespaces: [‸"prodution"]',
    says: /"prodution", of which .* reads nothing/,
  },
  {
    what: "rights to what is not allowed",
    from: RIGHTS,
    to: "    actions: ‸[argocd_sync_to_previous]\n",
    says: /actions lets this person approve nothing/,
  },
  {
    what: "rights below every service",
    from: RIGHTS,
    to: `${RIGHTS}    up_to: ‸low\n`,
    says: /up_to is low, and each service/,
  },
  {
    what: "a freeze of a misspelt service",
    from: "    rollbacks: approve\n",
    to: "    rollbacks: approve\n    services: [‸chekout]\n",
    says: /"chekout", which services does not describe/,
  },
  {
    what: "two persons for a misspelt service",
    from: "  remind_after: 5m\n",
    to: "  two_persons: [{services: [‸bilingg]}]\n  remind_after: 5m\n",
    says: /two_persons\[0\]\.services\[0\] is "bilingg"/,
  },
  {
    what: "an edge to a misspelt service",
    from: "    - [checkout, billing]\n",
    to: "    - [checkout, ‸billng]\n",
    says: /edges\[0\]\[1\] is "billng"/,
  },
  {
    what: "a migration of a misspelt service",
    from: "  feature_flags:\n",
    to: "  migrations: [{name: orders, service: ‸chekout}]\n  feature_flags:\n",
    says: /service is "chekout"/,
  },
  {
    what: "a step longer than a duration",
    from: "        duration: 3m",
    to: "        duration: ‸5s",
    says: /duration is 5s, less than a step of the watch \(15s\)/,
  },
  {
    what: "no rollback a day",
    from: "rollbacks_per_day: 5",
    to: "rollbacks_per_day: ‸0",
    says: /max_auto_rollbacks_per_day is 0/,
  },
  { what: "no rollback an hour", from: "per_hour: 3", to: "per_hour: ‸0", says: /max_rollbacks_per_hour is 0/ },
  {
    what: "a limit of what needs approval anyway",
    from: "      require_approval: true\n",
    to: "      require_approval: true\n      max_rollbacks_per_hour: ‸3\n",
    says: /max_rollbacks_per_hour limits nothing/,
  },
  {
    what: "a reminder after the plan's end",
    from: "remind_after: 5m",
    to: "remind_after: ‸20m",
    says: /remind_after is 20m, so nobody is ever reminded/,
  },
  {
    what: "an escalation after the plan's end",
    from: "    - after: 10m",
    to: "    - after: ‸1h",
    says: /escalate\[0\]\.after is 1h/,
  },
  {
    what: "a verification that is too short",
    from: "      timeout: 10m",
    to: "      timeout: ‸2m",
    says: /timeout is 2m: where a GitOps/,
  },
  {
    what: "a step of hours",
    from: "  step: 15s",
    to: "  step: ‸20m",
    says: /watch\.step is 20m/,
  },
  {
    what: "a freeze that never ends",
    from: 'cron: "0 17 * * 5"\n    time_zone: Europe/Berlin\n    duration: 63h',
    to: 'cron: "0 17 * * *"\n    time_zone: Europe/Berlin\n    duration: ‸63h',
    says: /the window never ends/,
    person: 'cron: "0 17 * * *"\n    time_zone: Europe/Berlin\n    duration: 12h',
  },
];

describe("what is legal and has no effect, or one that nobody wants", () => {
  eachIs("warned of", EFFECTLESS);
});
