import { createServer } from "../../mcp-tools/server.ts";
import { serveStdio } from "../../mcp-tools/stdio.ts";
import { holding } from "./holding.ts";

/** A process that serves the scenario's tools on standard input and output, for tests of the transport. */
await serveStdio(createServer(holding));
process.stderr.write("closed\n");
