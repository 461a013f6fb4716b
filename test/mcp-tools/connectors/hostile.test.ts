import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { hostilePeer } from "../../fakes/hostile-peer.ts";

const CHILD = join(import.meta.dirname, "hostile-child.ts");

interface Told {
  readonly connector: string;
  readonly code: string;
  readonly text: string;
  readonly attack: string;
  /** The most memory that the process had up to then, MB. */
  readonly rssMb: number;
}

/** A small machine's share: what is read of a peer must fit beside the rest of the watch. */
const HEAP_MB = 512;
const RSS_MB = 800;

/** What one process with a small heap says of each of these, and how much memory it took. */
async function told(...asked: readonly (readonly [connector: string, attack: string])[]): Promise<readonly Told[]> {
  await using peer = await hostilePeer();
  const flags = [`--max-old-space-size=${HEAP_MB}`, "--disable-warning=ExperimentalWarning"];
  const questions = asked.map(([connector, attack]) => `${connector}=${peer.at(attack)}`);
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, CHILD, ...questions]);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Told);
}

/** All that ask for JSON as a whole; they read through one function. */
const WHOLE = ["argocd", "unleash", "launchdarkly", "flagsmith", "zipkin", "prometheus-now", "kubernetes"];
/** A process that starts on a busy machine, and up to 64 MiB on their way. */
const PATIENCE_MS = 120_000;

describe("S9: a hostile peer costs a bounded amount of memory, and is unknown with the bound that it went beyond", () => {
  it.each([
    ["levels", /100 levels of JSON/],
    ["values", /(4,194,304|8,388,608) values in one/],
  ])(
    "whoever answers with too many %s",
    async (attack, text) => {
      const all = await told(...WHOLE.map((connector) => [connector, attack] as const));
      expect(all.map(({ connector, code }) => [connector, code])).toEqual(
        WHOLE.map((one) => [one, "source.too_large"]),
      );
      for (const one of all) expect(one.text).toMatch(text);
      expect(all.at(-1)?.rssMb).toBeLessThan(RSS_MB);
    },
    PATIENCE_MS,
  );

  it.each([
    ["argocd", "shapes", /4,194,304 values in one answer; let its account see fewer applications/],
    ["argocd", "body-without-end", /64 MiB in one answer/],
    ["kubernetes", "endless-pages", /more than 450 pages of objects; name fewer namespaces/],
    ["kubernetes", "endless-full-pages", /more than (256 MiB in one list|150,000 objects); name fewer namespaces/],
    ["kubernetes", "repeated-page", /a page names one as the next that was read before; name fewer/],
    [
      "prometheus",
      "million-series",
      /100,000 series of services and versions|8,000,000 points in its series; sum it by service/,
    ],
    ["prometheus", "endless-series", /16 MiB in one series/],
    ["prometheus", "values-for-series", /1,000,000 values beside the points/],
    ["prometheus", "levels", /100 levels of JSON/],
    ["prometheus", "body-without-end", /16 MiB in one series/],
    ["issuer's keys", "body-without-end", /64 MiB in one answer/],
  ])(
    "%s with %s",
    async (connector, attack, text) => {
      const [one] = await told([connector, attack]);
      expect(one).toMatchObject({ code: "source.too_large" });
      expect(one?.text).toMatch(text);
      expect(one?.rssMb).toBeLessThan(RSS_MB);
    },
    PATIENCE_MS,
  );

  it(
    "20 pages of metrics without end, read at the same time, and a discovery of millions of targets",
    async () => {
      const [pages, targets] = await told(["scrape", "body-without-end"], ["discovery", "million-targets"]);
      expect(pages?.text).toMatch(/20 targets it sent more than (16|256) MiB in .*; let the exporter serve less/);
      expect(targets?.text).toMatch(/sent more than (10,000 targets; let discovery list|16 MiB|4,194,304 values)/);
      expect(targets?.rssMb).toBeLessThan(RSS_MB);
    },
    PATIENCE_MS,
  );

  it(
    "one that drips, and is whole in time, is heard",
    async () => {
      const [one] = await told(["kubernetes", "drip"]);
      expect(one).toMatchObject({ code: "answered", text: '[{"metadata":{"name":"slow"}}]' });
    },
    PATIENCE_MS,
  );
});
