import { parseDuration } from "../durations.ts";
import { type Check, isMap, keyTroubleAt, listAt, mapAt, repeats, valueTroubleAt } from "./check.ts";

const MATCHER = String.raw`[A-Za-z_]\w*\s*=\s*(?:"[^"\\]*"|'[^'\\]*')\s*(?:,\s*)?`;
const SELECTOR = String.raw`[A-Za-z_:][\w:]*\s*(?:\{\s*(?:${MATCHER})*\})?`;
const READING = String.raw`(?:rate\s*\(\s*${SELECTOR}\s*\[\w+\]\s*\)|${SELECTOR})`;
/** What `scrape` can answer without a Prometheus. */
const SCRAPABLE = new RegExp(String.raw`^\s*(?:(?:sum|max|min|avg)\s*\(\s*${READING}\s*\)|${READING})\s*$`);

/** A query that `scrape` cannot evaluate would be left out, and its policy with it. */
export const scrapeCanReadItsQueries: Check = ({ file }) => {
  const metrics = mapAt(file, "data_sources", "metrics");
  if (metrics.type !== "scrape") return [];
  return Object.entries(mapAt(metrics, "queries")).flatMap(([metric, entry]) => {
    const query = isMap(entry) ? entry.query : entry;
    if (typeof query !== "string" || query === "" || SCRAPABLE.test(query)) return [];
    const path = ["data_sources", "metrics", "queries", metric, ...(isMap(entry) ? ["query"] : [])];
    const hint = 'what can is name, name{label="value"} or rate(name[5m]), within sum, max, min or avg';
    return [valueTroubleAt(path, "cannot be evaluated without a Prometheus", hint)];
  });
};

/** Without a page to read, `scrape` sees nothing. */
export const scrapeHasTargets: Check = ({ file }) => {
  const metrics = mapAt(file, "data_sources", "metrics");
  if (metrics.type !== "scrape") return [];
  const path = ["data_sources", "metrics"];
  const targets = listAt(file, ...path, "targets").flatMap(({ path, value }) =>
    isMap(value) ? [{ path, value }] : [],
  );
  const twice = repeats(targets, ({ url }) => (typeof url === "string" ? url : null)).map(({ path }) =>
    valueTroubleAt([...path, "url"], "is given above already", "its samples would count twice: remove one"),
  );
  const interval = typeof metrics.interval === "string" ? parseDuration(metrics.interval) : null;
  const window = typeof metrics.window === "string" ? parseDuration(metrics.window) : null;
  const short =
    interval !== null && window !== null && window < interval
      ? [valueTroubleAt([...path, "window"], "is shorter than interval", "it must hold at least one sample")]
      : [];
  const none =
    targets.length === 0 &&
    metrics.discovery === undefined &&
    (metrics.targets === undefined || Array.isArray(metrics.targets))
      ? [keyTroubleAt(path, "names nothing to scrape", "give targets or discovery")]
      : [];
  return [...twice, ...short, ...none];
};
