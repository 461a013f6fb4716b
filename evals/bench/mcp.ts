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
  /** The same, to the SDK giving back this very answer; null for the SDK's own. */
  readonly ofSameBytes: number | null;
}

/** A tool call may cost at most this much of what the SDK's own echo costs. */
const MOST = 1.3;
const WARM_UP = 200;

interface Kind {
  readonly name: string;
  readonly call: () => Promise<{ readonly isError: boolean; readonly text: string }>;
  /** The SDK's repetition of the same answer, for a call of ours. */
  readonly repeated?: Kind;
  readonly times: number[];
  bytes: number;
}

/**
 * How long a tool call through our server takes beside the SDK's bare echo, each in a process of its own over the same
 * transport, one call at a time, the kinds in turn within each round so that a busy moment of the machine falls on all.
 * `echo` gives back a word. `echo of` an answer of ours is a tool of the SDK's that declares an output schema and gives
 * back those bytes, so that one sees what size alone costs. Each of our questions is asked in two ways: again and again
 * of the same evidence, and each time as one that was never asked before, which is made, checked and cleaned anew.
 */
export async function measureMcp({ calls, rounds, warmUp = WARM_UP }: McpOptions): Promise<readonly CallTimes[]> {
  const all: CallTimes[] = [];
  for (const over of TRANSPORTS) {
    const stack = new AsyncDisposableStack();
    try {
      const ours = stack.use(await open("unship", over));
      const bare = kind("echo", await echoing(stack, over));
      const kinds: Kind[] = [bare];
      for (const { name, again, anew } of QUESTIONS) {
        let asked = 0;
        const first = await ours.client.call(name, again);
        const repeated = kind(`echo of ${name}`, await repeating(stack, over, first.structured));
        kinds.push(
          { ...kind(`${name}, again`, () => ours.client.call(name, again)), repeated },
          { ...kind(`${name}, anew`, () => ours.client.call(name, anew(asked++))), repeated },
          repeated,
        );
      }
      for (let round = -1; round < rounds; round += 1) {
        for (const one of kinds) await run(one, round < 0 ? warmUp : calls, round >= 0);
      }
      all.push(...kinds.map((one) => timesOf(one, bare, over)));
    } finally {
      await stack.disposeAsync();
    }
  }
  return all;
}

interface Question {
  readonly name: string;
  readonly again: Record<string, unknown>;
  /** The same answer to a question that differs for each index. */
  readonly anew: (index: number) => Record<string, unknown>;
}

/** A small answer, and a page as an assistant meets it first. The bench's evidence is the same for every incident. */
const QUESTIONS: readonly Question[] = [
  { name: "list_services", again: { limit: 1 }, anew: (index) => ({ limit: 1, incident: `inc-${index}` }) },
  // All it has fits 20; more different limits than answers are kept, so that each comes round forgotten.
  { name: "get_findings", again: {}, anew: (index) => ({ limit: 20 + (index % 81) }) },
];

async function echoing(stack: AsyncDisposableStack, over: Over): Promise<Kind["call"]> {
  const { client } = stack.use(await open("echo", over));
  return () => client.call("echo", { text: "word" });
}

/** A server of its own for each answer, so that no two share what they compile. */
async function repeating(stack: AsyncDisposableStack, over: Over, answer: unknown): Promise<Kind["call"]> {
  const { client } = stack.use(await open("echo", over));
  const { isError, text } = await client.call("keep", { answer });
  if (isError) throw new Error(`the echo keeps nothing: ${text}`);
  return () => client.call("repeat", {});
}

const kind = (name: string, call: Kind["call"]): Kind => ({ name, call, times: [], bytes: 0 });

function timesOf({ name, times, bytes, repeated }: Kind, bare: Kind, over: Over): CallTimes {
  const p50 = quantile(times, 0.5);
  return {
    name,
    over,
    calls: times.length,
    bytes,
    p50,
    p99: quantile(times, 0.99),
    ratio: p50 / quantile(bare.times, 0.5),
    ofSameBytes: repeated === undefined ? null : p50 / quantile(repeated.times, 0.5),
  };
}

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
  const small = value.filter(({ name }) => name.startsWith("list_services"));
  const page = value.filter(({ name }) => name.startsWith("get_findings"));
  const smallMet = small.every(({ ratio }) => ratio <= MOST);
  const pageMet = page.every(({ ofSameBytes }) => ofSameBytes !== null && ofSameBytes <= MOST);
  const lines = [
    "a tool call through our server beside the SDK's bare echo, one at a time, milliseconds",
    ...value.map(
      ({ name, over, calls, bytes, p50, p99, ratio, ofSameBytes }) =>
        `${over.padEnd(6)} ${name.padEnd(21)} ${String(bytes).padStart(6)} characters  p50 ${p50.toFixed(3)}  p99 ${p99.toFixed(3)}  ${ratio.toFixed(2)} × echo${ofSameBytes === null ? "" : `, ${ofSameBytes.toFixed(2)} × the same bytes`}  (${calls} calls)`,
    ),
    `wanted: list_services at most ${MOST} × echo: ${smallMet ? "met" : "not met"}`,
    `wanted: get_findings at most ${MOST} × the same bytes: ${pageMet ? "met" : "not met"}`,
  ];
  return { lines, value, met: smallMet && pageMet };
}
