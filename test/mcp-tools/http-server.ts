import { createHash } from "node:crypto";
import { openHttp } from "../../mcp-tools/http.ts";
import { createServer } from "../../mcp-tools/server.ts";
import { holding } from "./holding.ts";

/** A process that serves the scenario's tools over HTTP, for tests of the protocol by others' programs. */
const token = process.argv[2];
const tokens =
  token === undefined
    ? []
    : [{ name: "test", tokenSha256: createHash("sha256").update(token).digest("hex"), readOnly: false }];
const limits = { tokens, hosts: [], origins: [], requestsPerMinute: 10_000 };
const serving = await openHttp(({ readOnly }) => createServer(holding, { readOnly }), {
  host: "127.0.0.1",
  port: 0,
  ...limits,
});
process.stdout.write(`${serving.url}\n`);
process.once("SIGTERM", () => void serving.close());
