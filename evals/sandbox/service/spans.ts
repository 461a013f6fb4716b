import { Agent, request } from "node:http";

/** A span as Zipkin's v2 JSON spells it; timestamps and durations in µs. */
export interface ZipkinSpan {
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly kind: "CLIENT" | "SERVER";
  readonly timestamp: number;
  readonly duration: number;
  readonly localEndpoint: { readonly serviceName: string; readonly port?: number };
  readonly remoteEndpoint?: { readonly serviceName: string; readonly port?: number };
  /** A span failed if, and only if, it carries a tag named "error". */
  readonly tags: Readonly<Record<string, string>>;
}

export interface SpanReporter {
  record(span: ZipkinSpan): void;
  /** Sends what is still here; resolves whether or not the collector took it. */
  flush(): Promise<void>;
}

const FLUSH_MS = 1000;
/** While the collector is away, newer spans than this are dropped: a service must not die of its telemetry. */
const MAX_WAITING = 2000;

/** Sends spans in batches to `POST {collector}/api/v2/spans`. Losing spans never disturbs the service. */
export function createSpanReporter(collector: string): SpanReporter {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const target = new URL("/api/v2/spans", collector);
  let waiting: ZipkinSpan[] = [];
  const flush = () =>
    new Promise<void>((resolve) => {
      if (waiting.length === 0) return resolve();
      const body = JSON.stringify(waiting);
      waiting = [];
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const sent = request(target, { method: "POST", agent, headers, timeout: 2000 }, (answer) => {
        answer.resume();
        answer.on("close", resolve);
      });
      sent.on("timeout", () => sent.destroy());
      sent.on("error", () => resolve());
      sent.end(body);
    });
  setInterval(() => void flush(), FLUSH_MS).unref();
  return {
    record(span) {
      if (waiting.length < MAX_WAITING) waiting.push(span);
    },
    flush,
  };
}
