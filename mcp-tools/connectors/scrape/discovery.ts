import { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import { countText, createAllowance } from "../bounds.ts";
import { createHttp, type Http, path } from "../http.ts";

/** A page of metrics to read. */
export interface Target {
  readonly url: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * What an HTTP service discovery endpoint answers.
 * @see https://prometheus.io/docs/prometheus/latest/http_sd/
 */
const Groups = z.array(
  z.object({ targets: z.array(z.string()), labels: z.record(z.string(), z.string()).default({}) }),
);

/** 1,000 services with ten pods each; whoever has more needs a Prometheus to read them. */
const MOST_TARGETS = 10_000;
const NARROW = "let discovery list the targets of fewer services, or read them with a Prometheus";
/** Of all pages that are read at the same time: 32 of the usual size (1 MB at most) are an eighth of it. */
const TOGETHER = { maxBytes: 256 * 1024 * 1024, maxValues: Infinity };

/** The targets that an endpoint of Prometheus' HTTP service discovery lists now. */
export async function discover(http: Http, url: string, abort: AbortSignal): Promise<readonly Target[]> {
  const groups = await http.getJson(pathOf(new URL(url)), Groups, abort);
  const listed = groups.reduce((sum, { targets }) => sum + targets.length, 0);
  if (listed > MOST_TARGETS) {
    const limit = `${countText(MOST_TARGETS)} targets`;
    throw new UnshipError("source.too_large", { source: http.source, limit, narrow: NARROW });
  }
  return groups.flatMap(({ targets, labels }) => targets.flatMap((address) => targetOf(address, labels)));
}

/** `__scheme__`, `__metrics_path__` and `__param_*` say how to ask; other labels that begin with `__` are dropped. */
function targetOf(address: string, labels: Readonly<Record<string, string>>): readonly Target[] {
  const at = `${labels.__scheme__ ?? "http"}://${labels.__address__ ?? address}`;
  if (!/^https?:/.test(at) || !URL.canParse(at)) return [];
  const url = new URL(at);
  const [pathname = "", search = ""] = (labels.__metrics_path__ ?? "/metrics").split("?");
  url.pathname = pathname;
  url.search = search;
  for (const [name, value] of Object.entries(labels)) {
    if (name.startsWith("__param_")) url.searchParams.set(name.slice("__param_".length), value);
  }
  const kept = Object.fromEntries(Object.entries(labels).filter(([name]) => !name.startsWith("__")));
  return [{ url: url.href, labels: kept }];
}

/** Path and query of a URL from the configuration, encoded again part by part. */
export function pathOf(url: URL) {
  const texts = [""];
  const values: string[] = [];
  const text = (more: string) => texts.push((texts.pop() ?? "") + more);
  const value = (one: string) => {
    values.push(one);
    texts.push("");
  };
  for (const segment of url.pathname.split("/").slice(1).map(decodeURIComponent)) {
    text("/");
    if (segment !== "") value(segment);
  }
  for (const [index, [name, content]] of [...url.searchParams].entries()) {
    text(index === 0 ? "?" : "&");
    value(name);
    text("=");
    value(content);
  }
  return path(Object.assign(texts, { raw: texts }), ...values);
}

/** One connection pool for each origin, made when first needed. */
export function createPools(source: string, timeoutMs: number, maxBytes: number) {
  const pools = new Map<string, Http>();
  const together = createAllowance(TOGETHER, "in pages at the same time");
  const options = { source, timeoutMs, maxBytes, together, narrow: "let the exporter serve less" };
  return {
    for(url: URL): Http {
      const key = `${url.username}@${url.origin}`;
      const pool = pools.get(key) ?? createHttp({ ...options, base: new URL(withUser(url)) });
      pools.set(key, pool);
      return pool;
    },
    /** Closes the pools of origins that no target has any more. */
    async keep(urls: readonly URL[]): Promise<void> {
      const wanted = new Set(urls.map((url) => `${url.username}@${url.origin}`));
      const gone = [...pools].filter(([key]) => !wanted.has(key));
      for (const [key] of gone) pools.delete(key);
      await Promise.all(gone.map(([, pool]) => pool.close()));
    },
  };
}

function withUser(url: URL): string {
  const base = new URL(url.origin);
  base.username = url.username;
  base.password = url.password;
  return base.href;
}
