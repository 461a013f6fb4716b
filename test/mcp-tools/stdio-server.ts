import { createServer } from "../../mcp-tools/server.ts";
import { serveStdio } from "../../mcp-tools/stdio.ts";
import { context } from "./scenario.ts";

/** A process that serves the scenario's tools on standard input and output, for tests of the transport. */
await serveStdio(createServer(context()));
process.stderr.write("closed\n");
