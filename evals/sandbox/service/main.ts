import { createServer, type ServerResponse } from "node:http";
import { flushCompileCache } from "node:module";
import { createCallees } from "./callees.ts";
import { type FlagAccess, followFlags } from "./flags.ts";
import { type EndpointTable, followParent, tellParent } from "./life.ts";
import { openLog } from "./log.ts";
import type { ImageManifest } from "./manifest.ts";
import { createQuirks } from "./quirks.ts";
import { createHandler } from "./serve.ts";
import { createSpanReporter } from "./spans.ts";
import { createTelemetry } from "./telemetry.ts";

/**
 * The process of one pod. Everything it is comes in the first line of its standard input; later lines say which pods
 * are ready. It says its port on standard output, and ends when the pipe closes or on SIGTERM.
 */
export interface PodOrders {
  readonly kind: "start";
  readonly manifest: ImageManifest;
  readonly pod: string;
  readonly logFile: string;
  readonly collector: string;
  readonly flags: FlagAccess;
  /** Share of the traces that start here which are sampled, 0–1. */
  readonly traceRatio: number;
}

export interface EndpointNews {
  readonly kind: "endpoints";
  readonly table: EndpointTable;
}

/** After SIGTERM: so long requests still come in, because callers learn of it with a delay. */
const DRAIN_MS = 700;
const MEMORY_CHECK_MS = 250;

const callees = createCallees();
followParent((message) => {
  const line = message as PodOrders | EndpointNews; // as: the other end of this pipe is ours, and typed by the same two
  if (line.kind === "endpoints") callees.update(line.table);
  else start(line);
});

function start({ manifest, pod, logFile, collector, flags: access, traceRatio }: PodOrders): void {
  const log = openLog(logFile, manifest);
  const usesFlags = manifest.quirks.some(({ kind }) => kind === "behind-flag");
  const flags = usesFlags ? followFlags(access, manifest.service) : undefined;
  const quirks = createQuirks(manifest, flags);
  const telemetry = createTelemetry(manifest, pod);
  const spans = createSpanReporter(collector);
  const handle = createHandler({ manifest, quirks, callees, telemetry, spans, log, traceRatio });
  const readyAt = performance.now() + manifest.startUpMs;
  let draining = false;

  const server = createServer((request, response) => {
    if (draining) response.setHeader("connection", "close");
    if (request.url === "/metrics") {
      telemetry.exposition().then(({ contentType, text }) => say(response, 200, text, contentType));
    } else if (request.url === "/healthz") say(response, 200, "ok\n");
    else if (request.url === "/readyz") {
      const why = draining ? "shutting down" : performance.now() < readyAt ? "starting" : quirks.unready;
      say(response, why === undefined ? 200 : 503, `${why ?? "ok"}\n`);
    } else handle(request, response);
  });

  // Longer than any caller keeps an idle connection, so that it is the caller who lets go of it.
  server.keepAliveTimeout = 65_000;
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    log.write("info", `started ${manifest.service} ${manifest.version} (${manifest.commit.slice(0, 7)})`);
    if (quirks.unready !== undefined) log.write("error", quirks.unready);
    tellParent({ port: typeof address === "object" ? address?.port : 0 });
    flushCompileCache();
  });

  process.on("SIGTERM", () => {
    if (draining) return;
    draining = true;
    log.write("info", "shutting down");
    setTimeout(() => {
      server.close(() => void spans.flush().then(() => process.exit(0)));
      server.closeIdleConnections();
    }, DRAIN_MS);
  });

  setInterval(() => {
    if (process.memoryUsage.rss() > manifest.memoryLimitMiB * 1024 * 1024) process.kill(process.pid, "SIGKILL");
  }, MEMORY_CHECK_MS).unref();
}

function say(response: ServerResponse, status: number, text: string, contentType = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "content-type": contentType });
  response.end(text);
}
