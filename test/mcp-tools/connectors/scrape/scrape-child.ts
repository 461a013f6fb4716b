import { createScrape } from "../../../../mcp-tools/connectors/scrape/scrape.ts";

/** Scrapes one page for ever, a virtual second a tick, and says after each which it was; whoever started it kills it. */
const [spool = "", url = "", first = "0"] = process.argv.slice(2);
const source = await createScrape({
  targets: [{ url, labels: {} }],
  discovery: null,
  intervalMs: 1000,
  windowMs: 1e9,
  spool,
  now: Number(first),
  timeoutMs: 10_000,
});
for (let at = Number(first); ; at += 1000) {
  const { failed, spoolFailed } = await source.scrapeOnce(at, new AbortController().signal);
  if (failed.length > 0 || spoolFailed !== null) throw new Error("could not scrape");
  process.stdout.write(`${at}\n`);
}
