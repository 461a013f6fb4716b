import { describe, expect, it } from "vitest";
import { pause } from "../../../agent/cli/desk.ts";
import { exitCodeOf, failureLines } from "../../../agent/cli/failure.ts";
import { composeCommands } from "../../../agent/compose/commands.ts";
import { openSqliteLedger } from "../../../knowledge/ledger/sqlite.ts";
import { openDesk } from "./run-cli.ts";

const NAMED = "services: { checkout: { criticality: high }, cart: { criticality: low } }";

/** What `unship pause SCOPE` answers, and what it leaves in the ledger. */
async function paused(scope: string, more = NAMED) {
  using desk = openDesk({ more });
  const said: string[] = [];
  const hear = (text: string) => void said.push(text);
  const commands = composeCommands({
    version: "0.0.0",
    environment: {},
    start: { command: "node", args: ["unship"] },
    terminal: { out: hear, err: hear, isTty: false, columns: 80, askSecret: null },
    openBundle: () => Promise.reject(new Error("no bundle is asked for")),
  });
  const code = await pause(commands, scope, { config: desk.config, by: "cli" }).catch((error: unknown) => {
    said.push(...failureLines(error));
    return exitCodeOf(error);
  });
  const ledger = await openSqliteLedger(`${desk.folder}/ledger.db`);
  try {
    return { code, said: said.join(""), scopes: (await ledger.pauses()).map((one) => one.scope) };
  } finally {
    await ledger.close();
  }
}

// Nobody is at work on the ledgers of these tests, so that the answer is 1 where a pause was recorded.
describe("unship pause SCOPE: what is paused is what was meant, or nothing", () => {
  it.each(["all", "ALL", "All", " aLL ", "*"])("%j stops everything", async (scope) => {
    expect(await paused(scope)).toMatchObject({ code: 1, scopes: ["*"] });
  });

  it("a service of the file stops that service", async () => {
    expect(await paused(" cart ")).toMatchObject({ code: 1, scopes: ["cart"] });
  });

  it.each([
    ["a typing error", "chekout", /nothing was paused: .*there are all, checkout, cart/],
    ["another spelling of a service", "Checkout", /nothing was paused/],
    ["all and something", "all services", /name a service, or all/],
    ["nothing", "", /name a service, or all/],
    ["a pattern", "check*", /name a service, or all/],
    ["what steers a terminal", "cart\u001b[2J", /name a service, or all/],
  ])("%s is refused with what there is, and pauses nothing", async (_name, scope, message) => {
    const { code, said, scopes } = await paused(scope);
    expect({ code, scopes }).toEqual({ code: 2, scopes: [] });
    expect(said).toMatch(message);
    expect(said).not.toContain("\u001b");
  });

  it("where the file names no services, any may be meant", async () => {
    expect(await paused("chekout", "")).toMatchObject({ code: 1, scopes: ["chekout"] });
  });
});
