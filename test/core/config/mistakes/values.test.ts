import { describe } from "vitest";
import { BASE, eachIs, type Mistake } from "./harness.ts";

const COOLDOWN = "cooldown_between_rollbacks: 10m";
const FREEZE = "duration: 63h";
const AUTO = "threshold: 0.05 #";
const UNLEASH = '"http://unleash.platform.svc:4242"';
const PROMETHEUS = '"https://prometheus.monitoring.svc:9090"';
/** The base file with pages that are scraped and kept for an hour, in place of a Prometheus. */
const SCRAPED = BASE.replace(
  / {4}type: prometheus\n.*? {2}deployments:/s,
  '    type: scrape\n    targets: [{ url: "http://checkout:9102/metrics" }]\n    interval: 15s\n    window: 1h\n  deployments:',
).replace("checkout_orders\n        comparison: less_than", "request_rate\n        comparison: less_than");
const WORKLOAD = "{ kind: Deployment, name: checkout }";
const READ = '    namespaces: ["production"]\n  logs';

const KEYS: readonly Mistake[] = [
  { what: "a misspelt key", from: AUTO, to: "‸treshold: 0.05 #", says: /"treshold" in .*conditions\[0\]/ },
  { what: "a key in camel case", from: "time_zone: Europe", to: "‸timeZone: Europe", says: /"timeZone" in freeze_w/ },
  { what: "Prometheus' for", from: "        duration: 3m", to: "        ‸for: 3m", says: /"for" in .*conditions\[0\]/ },
  {
    what: "Alertmanager's receivers",
    from: 'action: notify_and_recommend\n    notification: ["slack:#incidents"]',
    to: 'action: notify_and_recommend\n    ‸receivers: ["slack:#incidents"]',
    says: /"receivers" in rollback_policies\.human_review/,
  },
  {
    what: "Kubernetes' apiVersion",
    from: "mode: approve\n",
    to: "‸apiVersion: unship/v1\nmode: approve\n",
    says: /"apiVersion" at the top/,
  },
  {
    what: "a CronJob's schedule",
    from: "    cron: ",
    to: "    ‸schedule: ",
    says: /"schedule" in freeze_windows\[0\]/,
  },
  { what: "a section of its short name", from: "  canary_analysis:", to: "  ‸canary:", says: /canary is no policy/ },
  {
    what: "a model without a provider",
    from: "model:\n  provider: anthropic\n",
    to: "‸model:\n",
    says: /model lacks provider/,
  },
  {
    what: "a source without a type",
    from: "  deployments:\n    type: kubernetes\n",
    to: "  ‸deployments:\n",
    says: /data_sources\.deployments lacks type/,
  },
  {
    what: "a freeze that does not say what it means for rollbacks",
    from: '  - name: weekend\n    cron: "0 17 * * 5"\n    time_zone: Europe/Berlin\n    duration: 63h\n    rollbacks: approve\n',
    to: '  - ‸name: weekend\n    cron: "0 17 * * 5"\n    time_zone: Europe/Berlin\n    duration: 63h\n',
    says: /freeze_windows\[0\] lacks rollbacks/,
  },
  {
    what: "a duration where the test needs none",
    from: "      - health_check_failures: 3\n        consecutive: true\n",
    to: "      - health_check_failures: 3\n        ‸duration: 3m\n        consecutive: true\n",
    says: /no key "duration" in .*conditions\[2\]/,
  },
];

const WORDS: readonly Mistake[] = [
  { what: "a misspelt word", from: "less_than", to: "‸less-then", says: /comparison cannot be "less-then"/ },
  { what: "a sign for a word", from: "less_than", to: '‸"<"', says: /comparison cannot be "<"/ },
  { what: "another tool's word", from: "worse: down", to: "worse: ‸lower", says: /worse cannot be "lower"/ },
  { what: "capitals", from: "mode: approve", to: "mode: ‸Approve", says: /mode cannot be "Approve"/ },
  { what: "a mode of another tool", from: "mode: approve", to: "mode: ‸dry-run", says: /mode cannot be "dry-run"/ },
  { what: "an unknown unit", from: '"req/s"', to: "‸rps", says: /checkout_orders\.unit cannot be "rps"/ },
  {
    what: "a vendor's model",
    from: "provider: anthropic",
    to: "provider: ‸claude",
    says: /provider cannot be "claude"/,
  },
  { what: "an abbreviation", from: "type: kubernetes", to: "type: ‸k8s", says: /deployments\.type cannot be "k8s"/ },
  {
    what: "a command for an action",
    from: "type: kubectl_rollout_undo",
    to: "type: ‸kubectl rollout undo",
    says: /allowed_actions\[0\]\.type cannot be "kubectl rollout undo"/,
  },
  { what: "a yes", from: "require_approval: true", to: "require_approval: ‸yes", says: /true or false, not "yes"/ },
  { what: "an off", from: "require_approval: false", to: "require_approval: ‸off", says: /true or false, not "off"/ },
  { what: "a boolean in quotes", from: "consecutive: true", to: 'consecutive: ‸"true"', says: /false, not "true"/ },
  { what: "a boolean as a figure", from: "consecutive: true", to: "consecutive: ‸1", says: /true or false, not 1/ },
];

const FIGURES: readonly Mistake[] = [
  {
    what: "a duration without a unit",
    from: FREEZE,
    to: "duration: ‸63",
    says: /duration 63 is no duration/,
    person: FREEZE,
  },
  {
    what: "a duration in minutes, in words",
    from: COOLDOWN,
    to: COOLDOWN.replace("10m", "‸10 min"),
    says: /"10 min" is/,
  },
  {
    what: "a duration that is longer than what is kept",
    base: SCRAPED,
    from: "threshold: 0.05 # 5 % of requests\n        duration: 3m",
    to: "threshold: 0.05 # 5 % of requests\n        duration: ‸2h",
    says: /duration is longer than data_sources\.metrics\.window \(1h\)/,
  },
  { what: "half a day", from: FREEZE, to: "duration: ‸2.5d", says: /duration "2\.5d" is no duration/ },
  { what: "a duration as ISO 8601 spells it", from: FREEZE, to: "duration: ‸PT63H", says: /"PT63H" is no duration/ },
  {
    what: "a duration as on a clock",
    from: COOLDOWN,
    to: COOLDOWN.replace("10m", "‸00:10:00"),
    says: /"00:10:00" is no/,
  },
  {
    what: "a comment without a space",
    from: FREEZE,
    to: "duration: ‸63h#weekend",
    says: /"63h#weekend" is no duration/,
  },
  {
    what: "a percentage for a ratio",
    from: AUTO,
    to: "threshold: ‸5% #",
    says: /threshold must be a number, not "5%"/,
  },
  { what: "5 for 5 %", from: AUTO, to: "threshold: ‸5 #", says: /threshold is 5, but error_rate is a ratio/ },
  {
    what: "a confidence in per cent",
    from: "minimum_confidence: 0.95",
    to: "minimum_confidence: ‸95",
    says: /cannot be 95/,
  },
  { what: "a decimal comma", from: "threshold: 0.02", to: "threshold: ‸0,02", says: /number, not "0,02"/ },
  { what: "a number in quotes", from: "rollbacks_per_day: 5", to: 'rollbacks_per_day: ‸"5"', says: /number, not "5"/ },
  { what: "half a rollback", from: "human_after: 2", to: "human_after: ‸2.5", says: /whole number, not 2\.5/ },
  { what: "thousands with a blank", from: "tokens: 60000", to: "tokens: ‸60_000", says: /tokens .* "60_000"/ },
  { what: "a latency with its unit", from: "threshold: 2000 #", to: "threshold: ‸2s #", says: /threshold .*"2s"/ },
  { what: "a latency in seconds", from: "threshold: 2000 #", to: "threshold: ‸2 #", says: /threshold is 2 ms, though/ },
  { what: "a negative threshold", from: "threshold: 0.02", to: "threshold: ‸-0.02", says: /is -0\.02, but error_rate/ },
  { what: "a budget of nothing", from: "tokens: 60000", to: "tokens: ‸0", says: /model\.budget\.tokens cannot be 0/ },
  {
    what: "a plan of no service",
    from: "      services: 3",
    to: "      services: ‸0",
    says: /blast_radius\.services cannot be 0/,
  },
  { what: "a name that is a number", from: "name: weekend", to: "name: ‸12", says: /name must be a text, not 12/ },
];

const SHAPES: readonly Mistake[] = [
  { what: "one namespace", from: READ, to: "    namespaces: ‸production\n  logs", says: /list, not "production"/ },
  {
    what: "namespaces with commas",
    from: READ,
    to: "    namespaces: ‸production,default\n  logs",
    says: /deployments\.namespaces must be a list, not "production,default"/,
  },
  {
    what: "a protected name that is no list",
    from: 'never_auto_rollback: ["billing"]',
    to: "never_auto_rollback: ‸billing",
    says: /never_auto_rollback must be a list, not "billing"/,
  },
  {
    what: "an arrow for an edge",
    from: "[checkout, billing]",
    to: "‸checkout -> billing",
    says: /edges\[0\] must be a list/,
  },
  {
    what: "a workload as kubectl names it",
    from: WORKLOAD,
    to: "‸deployment/checkout",
    says: /workload must be a map/,
  },
  {
    what: "a list of names for a map",
    from: `services:
  checkout:
    namespace: production
    workload: { kind: Deployment, name: checkout }
    criticality: critical
  billing:
    namespace: production
    criticality: high
`,
    to: "services:\n  ‸- checkout\n  - billing\n",
    says: /services must be a map of keys, not a list/,
  },
  {
    what: "edges as a map",
    from: '    - [checkout, billing]\n    - [checkout, payment-provider]\n  external: ["payment-provider"]\n',
    to: "    ‸checkout: [billing, payment-provider]\n",
    says: /topology\.edges must be a list, not a map of keys/,
    person: "    - [checkout, billing]\n    - [checkout, payment-provider]\n",
  },
];

const ADDRESSES: readonly Mistake[] = [
  {
    what: "a URL without a scheme",
    from: UNLEASH,
    to: "‸unleash.platform.svc:4242",
    says: /endpoint "unleash\.platform/,
  },
  { what: "a misspelt scheme", from: PROMETHEUS, to: '‸"htps://prometheus.monitoring.svc:9090"', says: /"htps:/ },
  {
    what: "a port that is a name",
    from: UNLEASH,
    to: '‸"http://unleash.platform.svc:http"',
    says: /endpoint "http.*:http"/,
  },
  {
    what: "a port that is too large",
    from: UNLEASH,
    to: '‸"http://unleash.platform.svc:424242"',
    says: /:424242" is no/,
  },
  {
    what: "a password in a URL, which no message repeats",
    from: PROMETHEUS,
    to: '‸"https://admin:hunter2@prometheus.monitoring.svc:9090"',
    says: /^data_sources\.metrics\.endpoint carries a user or password$/,
  },
  {
    what: "a URL that is still to be filled in",
    from: UNLEASH,
    to: '‸"http://unleash.<namespace>.svc:4242"',
    says: /<namespace>/,
    person: UNLEASH,
  },
  {
    what: "an address without a port",
    from: '"127.0.0.1:7332"',
    to: '‸"127.0.0.1"',
    says: /listen "127\.0\.0\.1" is no/,
  },
  { what: "a port alone", from: '"127.0.0.1:7332"', to: "‸7332", says: /listen must be a text, not 7332/ },
  {
    what: "a URL to listen at",
    from: '"127.0.0.1:7332"',
    to: '‸"http://127.0.0.1:7332/"',
    says: /listen .* is no address/,
  },
  {
    what: "a cron pattern with seconds",
    from: '"0 17 * * 5"',
    to: '‸"0 0 17 * * 5"',
    says: /cron "0 0 17 .* not five/,
  },
  { what: "a cron pattern by name", from: '"0 17 * * 5"', to: '‸"@weekly"', says: /cron "@weekly"/ },
  { what: "a time in words", from: '"0 17 * * 5"', to: "‸Fri 17:00", says: /cron "Fri 17:00"/ },
  {
    what: "an hour that is none",
    from: '"0 17 * * 5"',
    to: '‸"0 25 * * 5"',
    says: /cron "0 25/,
    person: '"0 1 * * 6"',
  },
  {
    what: "a day that never is",
    from: '"0 17 * * 5"',
    to: '‸"0 17 31 2 *"',
    says: /never matches/,
    person: '"0 17 28 2 *"',
  },
  { what: "a misspelt zone", from: "Europe/Berlin", to: "‸Europe/Berln", says: /time_zone "Europe\/Berln" is no/ },
  { what: "a summer time", from: "Europe/Berlin", to: "‸CEST", says: /time_zone "CEST" is no time zone/ },
  { what: "an offset for a zone", from: "Europe/Berlin", to: '‸"+01:00"', says: /time_zone "\+01:00" is no time zone/ },
  {
    what: "a path that a shell completes",
    from: "/var/lib/unship/ledger.db",
    to: "‸~/ledger.db",
    says: /ledger\.path "~/,
    person: "/root/ledger.db",
  },
  {
    what: "a database where a path is",
    from: "path: /var/lib/unship/ledger.db",
    to: "path: ‸sqlite:///var/lib/ledger.db",
    says: /ledger\.path .* is a URL/,
    person: "path: /var/lib/ledger.db",
  },
];

describe.each([
  ["keys", KEYS],
  ["words", WORDS],
  ["figures", FIGURES],
  ["shapes", SHAPES],
  ["addresses and times", ADDRESSES],
])("what goes wrong with %s", (_, rows) => {
  eachIs("refused", rows);
});
