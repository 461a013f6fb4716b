import { openSpool } from "../../../../mcp-tools/connectors/scrape/spool.ts";

/** Writes records for ever and says after each that it is safe; whoever started it kills it. */
const [folder = "", first = "0"] = process.argv.slice(2);
const spool = await openSpool({ folder, windowMs: 1e12, segmentBytes: 2000 }, 0, () => {});
for (let at = Number(first); ; at += 1) {
  await spool.append({ at, ...{ padding: "x".repeat(at % 97) } });
  process.stdout.write(`${at}\n`);
}
