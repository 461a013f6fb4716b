import { createHttp } from "../../mcp-tools/connectors/http.ts";
import { attempt, type OpenContext, type SystemParts } from "./system-parts.ts";

/** Opens logs and traces; traces also tell who calls whom. */
export async function openEvidence({ config, clock }: OpenContext, parts: SystemParts): Promise<void> {
  const { logs, traces } = config.dataSources;
  if (logs?.type === "jsonl") {
    const { createJsonlLogs } = await import("../../mcp-tools/connectors/jsonl-logs/jsonl-logs.ts");
    const { logFiles } = await import("../../mcp-tools/connectors/jsonl-logs/files.ts");
    const source = createJsonlLogs({ paths: logs.paths });
    parts.sources.logs.push(source);
    parts.report.push((abort) =>
      attempt(`logs ${logs.paths.join(", ")}`, async () => {
        const files = await logFiles(logs.paths);
        if (files.length === 0) return "no file is there yet: until one is, what the logs would say is unknown";
        const { lines } = await source.search({ window: { from: 0, to: clock.now() }, limit: 1 }, abort);
        const found = `${files.length} ${files.length === 1 ? "file" : "files"}, readable`;
        return lines.length === 0 ? `${found}, no line yet` : found;
      }),
    );
  }
  if (traces !== null) {
    const { createZipkin } = await import("../../mcp-tools/connectors/zipkin/zipkin.ts");
    const http = createHttp({ source: "zipkin", base: new URL(traces.endpoint) });
    const zipkin = createZipkin({ http, clock });
    parts.sources.traces.push(zipkin);
    parts.sources.topology.push(zipkin);
    parts.lacks.push(zipkin.lacks);
    parts.report.push((abort) =>
      attempt(`zipkin ${traces.endpoint}`, async () => {
        const { services, latencyMs } = await zipkin.ping(abort);
        return `${services} services, ${Math.round(latencyMs)} ms`;
      }),
    );
    parts.close.push(() => http.close());
  }
}
