// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { describe, expect, it } from "vitest";
import { CONDITION, CONDITIONS, problems, type Row, SOURCES } from "./fixtures.ts";

const KEYS: readonly Row[] = [
  [
    "a mistyped key at the top is named with the nearest",
    `${SOURCES}excution: {}\n`,
    'u.yaml:2:1: there is no key "excution" at the top (did you mean execution?)',
  ],
  [
    "a mistyped key deep inside is named with the nearest",
    `${SOURCES}execution:\n  guardrails:\n    cooldown_betwen_rollbacks: 10m\n`,
    'u.yaml:4:5: there is no key "cooldown_betwen_rollbacks" in execution.guardrails (did you mean cooldown_between_rollbacks?)',
  ],
  [
    "a key in camel case is named with the nearest",
    `${SOURCES}watch:\n  Step: 15s\n`,
    'u.yaml:3:3: there is no key "Step" in watch (did you mean step?)',
  ],
  [
    "a key that is like none gets all that are valid",
    `${SOURCES}knowledge:\n  colour: red\n`,
    'u.yaml:3:3: there is no key "colour" in knowledge (valid here: path)',
  ],
  [
    "a key that is like none at the top is an error too",
    `${SOURCES}kubectl: []\n`,
    'u.yaml:2:1: there is no key "kubectl" at the top (valid here: mode, data_sources, rollback_policies, reasoning_chain, execution, feedback_loop, services, currency, service_label, version_label, topology, freeze_windows, and 10 more)',
  ],
  [
    "a mistyped key is one problem, not also a missing one",
    `${CONDITIONS}      - metric: error_rate\n        treshold: 0.05\n        duration: 3m\n`,
    `u.yaml:7:9: there is no key "treshold" in ${CONDITION} (did you mean threshold?)`,
  ],
  [
    "a repeated key is named where it stands the second time",
    `${SOURCES}watch: {step: 15s}\nmode: auto\nwatch: {step: 30s}\n`,
    'u.yaml:4:1: the key "watch" is given twice here (remove one of them)',
  ],
  [
    "a missing key says what it is for",
    `${CONDITIONS}      - metric: error_rate\n        duration: 3m\n`,
    `u.yaml:6:9: ${CONDITION} lacks threshold (The value that the metric is compared with; the value itself does not fire)`,
  ],
  [
    "a missing type lists the types",
    'data_sources:\n  metrics:\n    endpoint: "http://p"\n',
    "u.yaml:2:3: data_sources.metrics lacks type (add type: prometheus (or scrape))",
  ],
  [
    "a file without sources says so",
    "mode: auto\n",
    "u.yaml:1:1: the file lacks data_sources (Where signals, changes, logs, traces and flags come from)",
  ],
  [
    "a mistyped canary_analysis is no policy",
    `${SOURCES}rollback_policies:\n  canary_analisys:\n    enabled: true\n`,
    "u.yaml:3:3: rollback_policies.canary_analisys is no policy (did you mean canary_analysis?)",
  ],
  [
    "a key that belongs to another type is an error",
    'data_sources:\n  metrics:\n    type: scrape\n    targets: [{url: "http://p/metrics"}]\n    endpoint: "http://p"\n',
    'u.yaml:5:5: there is no key "endpoint" in data_sources.metrics (valid here: type, targets, discovery, interval, window, spool, queries)',
  ],
];

const EMPTY = "u.yaml:1:1: the file is empty (begin with data_sources; see examples/unship.yaml)";
const YAML_PROBLEMS: readonly Row[] = [
  ["an empty file", "", EMPTY],
  ["a file of comments alone", "# nothing\n", EMPTY],
  [
    "a bracket that is never closed",
    "mode: auto\nservices: {a: {flags: [x}\n",
    "u.yaml:2:25: not readable as YAML: the indentation does not fit (or a bracket or quote above is still open)",
    "u.yaml:2:26: not readable as YAML: the indentation does not fit (or a bracket or quote above is still open)",
  ],
  [
    "a tab as indentation",
    "data_sources:\n\tmetrics: x\n",
    "u.yaml:2:1: not readable as YAML: a tab as indentation (indent with spaces)",
  ],
  [
    "a quote that is never closed",
    'mode: "auto\n',
    'u.yaml:1:12: not readable as YAML: a quote that is still open (insert " here)',
  ],
  [
    "two documents",
    "mode: auto\n---\nmode: auto\n",
    "u.yaml:2:1: not readable as YAML: a second document begins (one file is one document: remove what begins at ---)",
  ],
  [
    "a tag",
    "mode: !!js/function auto\n",
    "u.yaml:1:7: not readable as YAML: a tag that means nothing here (remove it)",
  ],
  [
    "an alias of nothing",
    `${SOURCES}services: *nothing\n`,
    'u.yaml:2:11: there is no anchor "nothing" (it must be above)',
  ],
  [
    "a list where a map must be",
    "- mode\n",
    "u.yaml:1:1: the file must be a map of keys, not a list (leave out the -)",
  ],
  ["a word where a map must be", "hello\n", 'u.yaml:1:1: the file must be a map of keys, not "hello"'],
  [
    "a map as a key",
    `${SOURCES}services: {{a: 1}: {}}\n`,
    "u.yaml:2:12: a key that is no plain word (quote it if it is one)",
  ],
  [
    "__proto__ as a name",
    `${SOURCES}services: {__proto__: {flags: []}}\n`,
    "u.yaml:2:12: __proto__ cannot be a name (choose another)",
  ],
];

const VARIABLES: readonly Row[] = [
  [
    "a variable that is not set is named with its key",
    'data_sources: {metrics: {type: prometheus, endpoint: "http://p", token: "${TOKEN}"}}\n',
    "u.yaml:1:73: data_sources.metrics.token needs the variable TOKEN, which is not set (export TOKEN=…)",
  ],
  [
    "a variable with a typo is named with the one that is set",
    'data_sources: {metrics: {type: prometheus, endpoint: "http://p", token: "${LD_APIKEY}"}}\n',
    "u.yaml:1:73: data_sources.metrics.token needs the variable LD_APIKEY, which is not set (did you mean LD_API_KEY? it is set)",
  ],
  [
    "a variable inside a text points at itself",
    'data_sources: {metrics: {type: prometheus, endpoint: "http://${HOST}:90"}}\n',
    "u.yaml:1:62: data_sources.metrics.endpoint needs the variable HOST, which is not set (export HOST=…)",
  ],
  [
    "a secret mixed with text is refused",
    'data_sources: {metrics: {type: prometheus, endpoint: "http://p", token: "Bearer ${LD_API_KEY}"}}\n',
    'u.yaml:1:73: data_sources.metrics.token mixes text with a reference (write "${LD_API_KEY}", alone, and put the whole secret there)',
  ],
  [
    "a file for what is no secret is refused",
    'data_sources: {metrics: {type: prometheus, endpoint: "${file:/x}"}}\n',
    "u.yaml:1:55: data_sources.metrics.endpoint cannot come from a file (only tokens and keys can)",
  ],
  [
    "a name that no variable can have is refused",
    'data_sources: {metrics: {type: prometheus, endpoint: "http://${A-B}"}}\n',
    'u.yaml:1:62: data_sources.metrics.endpoint names a variable "A-B", which cannot be one (write ${VARIABLE}, or $${ for a literal ${)',
  ],
];

describe.each([
  ["keys", KEYS],
  ["YAML", YAML_PROBLEMS],
  ["variables", VARIABLES],
])("problems with %s", (_, rows) => {
  it.each(rows)("%s", (_sentence, text, ...lines) => {
    expect(problems(String(text))).toEqual(lines);
  });
});
