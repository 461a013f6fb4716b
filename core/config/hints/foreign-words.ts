/** Keys of Prometheus, Alertmanager, Argo and Kubernetes for what a key of this file means. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  for: ["duration"],
  value: ["threshold"],
  limit: ["threshold"],
  expr: ["query"],
  promql: ["query"],
  operator: ["comparison"],
  op: ["comparison"],
  receiver: ["notification"],
  receivers: ["notification"],
  channels: ["notification"],
  notify: ["notification"],
  url: ["endpoint", "base_url"],
  address: ["endpoint", "listen"],
  host: ["endpoint"],
  server: ["endpoint"],
  bearer_token: ["token"],
  apikey: ["api_key", "token"],
  password: ["token", "api_key"],
  schedule: ["cron"],
  timezone: ["time_zone"],
  location: ["time_zone"],
  interval: ["step"],
  poll_interval: ["step"],
  scrape_interval: ["interval", "step"],
  retention: ["window"],
  email: ["oidc"],
  severity: ["criticality"],
  tier: ["criticality"],
  priority: ["criticality"],
  deployment: ["workload"],
  dependencies: ["edges"],
  cooldown: ["cooldown_between_rollbacks"],
  excluded: ["never_auto_rollback"],
  exclude: ["never_auto_rollback"],
  sources: ["data_sources"],
  policies: ["rollback_policies"],
  rules: ["rollback_policies", "conditions"],
  vendor: ["provider"],
};

/** Values of other tools for what a value of this file means. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  ">": ["greater_than"],
  ">=": ["greater_than"],
  gt: ["greater_than"],
  gte: ["greater_than"],
  above: ["greater_than"],
  higher: ["greater_than", "up"],
  "<": ["less_than"],
  "<=": ["less_than"],
  lt: ["less_than"],
  lte: ["less_than"],
  below: ["less_than"],
  lower: ["less_than", "down"],
  increase: ["up"],
  decrease: ["down"],
  manual: ["approve"],
  semi: ["approve"],
  dry_run: ["observe"],
  "dry-run": ["observe"],
  dryrun: ["observe"],
  "read-only": ["observe"],
  automatic: ["auto"],
  claude: ["anthropic"],
  gpt: ["openai"],
  chatgpt: ["openai"],
  ollama: ["openai"],
  k8s: ["kubernetes"],
  argo: ["argocd_webhook"],
  rps: ["req/s"],
  qps: ["req/s"],
  rpm: ["req/min"],
  warning: ["medium"],
  severe: ["critical"],
  p1: ["critical"],
  block: ["deny"],
  forbid: ["deny"],
  slack_channel: ["slack"],
  pager: ["pagerduty"],
  alert: ["notify_and_recommend"],
};

/** Keys that files of other tools begin with, and this one has no use for. */
const NEEDLESS = ["apiVersion", "kind", "metadata", "spec", "version", "global"];

const meantBy = (words: Readonly<Record<string, readonly string[]>>, word: string, choices: readonly string[]) =>
  (Object.hasOwn(words, word) ? words[word] : undefined)?.find((one) => choices.includes(one)) ?? null;

/** The key of this file that another tool calls so, of those that may be there; null: none. */
export const keyMeantBy = (word: string, keys: readonly string[]): string | null =>
  meantBy(KEYS, word.toLowerCase(), keys);

/** The same for a value. */
export const valueMeantBy = (word: string, choices: readonly string[]): string | null =>
  meantBy(VALUES, word.trim().toLowerCase(), choices);

/** Whether files of other tools begin with this key. */
export const isNeedless = (key: string): boolean => NEEDLESS.includes(key);
