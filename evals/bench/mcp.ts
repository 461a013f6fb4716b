import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { connectTools } from "../../agent/chain/mcp-client.ts";
import type { ToolClient } from "../../agent/chain/tool-client.ts";
import type { BenchOutcome } from "./catalog.ts";

export const TRANSPORTS = ["stdio", "http"] as const;
type Over = (typeof TRANSPORTS)[number];

export interface McpOptions {
  /** Calls of each kind in a round. */
  readonly calls: number;
  readonly rounds: number;
  /** Calls of each kind before any time counts: both processes compile what they run. Default 200. */
  readonly warmUp?: number;
}

/** Times of one kind of call, milliseconds. */
export interface CallTimes {
  readonly name: string;
  readonly over: Over;
  readonly calls: number;
  readonly bytes: number;
  readonly p50: number;
  readonly p99: number;
  /** Of its median to the median of the echo of a word over the same transport. */
  readonly ratio: number;
}

/** A tool call may cost at most this much of what the SDK's own echo costs. */
const MOST = 1.3;
const WARM_UP = 200;

interface Kind {
  readonly name: string;
  readonly call: () => Promise<{ readonly isError: boolean; readonly text: string }>;
  readonly times: number[];
  bytes: number;
}

/**
 * How long a tool call through our server takes beside the SDK's bare echo, each in a process of its own over the same
 * transport, one call at a time, the kinds in turn within each round so that a busy moment of the machine falls on all.
 * `echo` gives back a word; `echo of a page` the bytes of the larger answer, so that one sees what size alone costs.
 */
export async function measureMcp({ calls, rounds, warmUp = WARM_UP }: McpOptions): Promise<readonly CallTimes[]> {
  const all: CallTimes[] = [];
  for (const over of TRANSPORTS) {
    const stack = new AsyncDisposableStack();
    try {
      const ours = stack.use(await open("unship", over));
      const echo = stack.use(await open("echo", over));
      const page = (await ours.client.call("get_findings", {})).text;
      const kinds = [
        kind("echo", () => echo.client.call("echo", { text: "word" })),
        kind("list_services", () => ours.client.call("list_services", { limit: 1 })),
        kind("echo of a page", () => echo.client.call("echo", { text: page })),
        kind("get_findings", () => ours.client.call("get_findings", {})),
      ];
      for (let round = -1; round < rounds; round += 1) {
        for (const one of kinds) await run(one, round < 0 ? warmUp : calls, round >= 0);
      }
      const base = quantile(kinds[0]?.times ?? [], 0.5);
      all.push(
        ...kinds.map(({ name, times, bytes }) => ({
          name,
          over,
          calls: times.length,
          bytes,
          p50: quantile(times, 0.5),
          p99: quantile(times, 0.99),
          ratio: quantile(times, 0.5) / base,
        })),
      );
    } finally {
      await stack.disposeAsync();
    }
  }
  return all;
}

const kind = (name: string, call: Kind["call"]): Kind => ({ name, call, times: [], bytes: 0 });

async function run(one: Kind, calls: number, counts: boolean): Promise<void> {
  for (let index = 0; index < calls; index += 1) {
    const started = performance.now();
    const { isError, text } = await one.call();
    const took = performance.now() - started;
    if (isError) throw new Error(`${one.name} failed: ${text}`);
    one.bytes = text.length;
    if (counts) one.times.push(took);
  }
}

function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

const SERVER = join(import.meta.dirname, `mcp-server${extname(import.meta.filename)}`);

interface Opened extends AsyncDisposable {
  readonly client: ToolClient;
}

async function open(which: "unship" | "echo", over: Over): Promise<Opened> {
  if (over === "stdio") {
    const transport = new StdioClientTransport({ command: process.execPath, args: [SERVER, which, over] });
    const client = await connectTools(transport);
    return { client, [Symbol.asyncDispose]: () => client.close() };
  }
  const child: ChildProcess = spawn(process.execPath, [SERVER, which, over], { stdio: ["ignore", "pipe", "inherit"] });
  if (child.stdout === null) throw new Error("the server has no output");
  const [url] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  // The SDK's own class declares optional members that its interface does not allow to be undefined.
  const transport = new StreamableHTTPClientTransport(new URL(url)) as Parameters<typeof connectTools>[0];
  const client = await connectTools(transport);
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      const gone = once(child, "exit");
      child.kill();
      await gone;
    },
  };
}

/** `unship bench mcp`: 2,000 calls of each kind over each transport, or `trials` of them. */
export async function benchMcp(trials = 2_000): Promise<BenchOutcome> {
  const rounds = Math.min(10, trials);
  const value = await measureMcp({ calls: Math.ceil(trials / rounds), rounds });
  const claimed = value.filter(({ name }) => name === "list_services");
  const met = claimed.every(({ ratio }) => ratio <= MOST);
  const lines = [
    "a tool call through our server beside the SDK's bare echo, one at a time, milliseconds",
    ...value.map(
      ({ name, over, calls, bytes, p50, p99, ratio }) =>
        `${over.padEnd(6)} ${name.padEnd(15)} ${String(bytes).padStart(6)} characters  p50 ${p50.toFixed(3)}  p99 ${p99.toFixed(3)}  ${ratio.toFixed(2)} × echo  (${calls} calls)`,
    ),
    `wanted: list_services at most ${MOST} × echo: ${met ? "met" : "not met"}`,
  ];
  return { lines, value, met };
}
