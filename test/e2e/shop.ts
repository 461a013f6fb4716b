import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Document, parseDocument } from "yaml";
import { compileCacheVariable } from "../../evals/compile-cache.ts";
import { demoConfiguration, FLAG_TOKEN_VARIABLE } from "../../evals/demo/configuration.ts";
import type { Durations } from "../../evals/demo/durations.ts";
import { startWatch, type WatchLine, type WatchProcess } from "../../evals/demo/watch-process.ts";
import { type Sandbox, startSandbox } from "../../evals/sandbox/sandbox.ts";
import type { SandboxWrite } from "../../evals/sandbox/writes.ts";

/** Short enough for a test of a whole incident; a pod's few bad seconds at its start still end before them. */
export const TEST_DURATIONS: Durations = {
  autoErrorRateMs: 4000,
  autoLatencyMs: 6000,
  reviewMs: 4000,
  cooldownMs: 1000,
  canaryMs: 20_000,
  verifyTimeoutMs: 60_000,
  averagedMs: 10_000,
  scrapeMs: 1000,
  stepMs: 1000,
};

/** Healthy traffic before anything breaks, as in the demo: enough samples of a baseline. */
const WARM_UP_MS = 20_000;
/** Far beyond what any step takes on a busy machine: what is not there by then never comes. */
export const PATIENCE_MS = 120_000;
const POLL_MS = 100;

export const MAIN = join(import.meta.dirname, "../../agent/main.ts");

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Given {
  readonly variables?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** The running sandbox, a configuration for it, and the processes of unship that a test starts beside it. */
export interface Shop extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly directory: string;
  readonly config: string;
  readonly ledgerPath: string;
  /** The variables that the configuration names. */
  readonly variables: Readonly<Record<string, string>>;
  /** Starts a watch and waits until it watches; it ends with the shop at the latest. */
  watch(): Promise<WatchProcess>;
  /** Runs one command of unship to its end, without a terminal, its environment and input no more than this. */
  unship(args: readonly string[], given?: Given): Promise<Ran>;
  /** Mutating requests of others than the sandbox's own people. */
  foreignWrites(): readonly SandboxWrite[];
}

export interface ShopOptions {
  readonly durations?: Durations;
  /** Starts a Prometheus over the sandbox and says where; without it the embedded scraper is configured. */
  readonly prometheus?: (sandbox: Sandbox, directory: string, own: AsyncDisposableStack) => Promise<string>;
  /** Changes the demo's configuration before it is written. What it starts is given to `own`. */
  readonly edit?: (
    config: Document,
    place: { readonly sandbox: Sandbox; readonly directory: string; readonly own: AsyncDisposableStack },
  ) => Promise<void> | void;
}

/** Opens the shop in a folder of its own, which goes with it. */
export async function openShop({ durations = TEST_DURATIONS, prometheus, edit }: ShopOptions = {}): Promise<Shop> {
  const own = new AsyncDisposableStack();
  try {
    const directory = mkdtempSync(join(tmpdir(), "unship-e2e-"));
    own.defer(() => rmSync(directory, { recursive: true, force: true, maxRetries: 3 }));
    const sandbox = own.use(await startSandbox({ directory: join(directory, "sandbox") }));
    const metrics = (await prometheus?.(sandbox, directory, own)) ?? null;
    const { endpoints } = sandbox;
    const document = parseDocument(demoConfiguration({ endpoints, durations, directory, prometheus: metrics }));
    await edit?.(document, { sandbox, directory, own });
    const config = join(directory, "unship.yaml");
    writeFileSync(config, document.toString());
    const variables = { [FLAG_TOKEN_VARIABLE]: endpoints.flagToken };
    return {
      sandbox,
      directory,
      config,
      ledgerPath: join(directory, "ledger.db"),
      variables,
      async watch() {
        const watch = own.use(startWatch({ directory, config, variables }));
        await lineOf(watch, directory, ({ event }) => event === "watch.started", "the start of the watch");
        return watch;
      },
      unship: (args, given = {}) => runUnship(args, directory, { variables, ...given }),
      foreignWrites: () => sandbox.writes().filter((write) => !write.own),
      [Symbol.asyncDispose]: () => own.disposeAsync(),
    };
  } catch (error) {
    await own.disposeAsync();
    throw error;
  }
}

/** Healthy traffic for long enough to be a baseline. It is the visitors' time, which nothing can shorten. */
export const warmUp = (forMs: number = WARM_UP_MS): Promise<void> => wait(forMs);

function runUnship(args: readonly string[], directory: string, { variables, input = "" }: Given): Promise<Ran> {
  const env = { PATH: process.env.PATH, HOME: directory, ...compileCacheVariable(), ...variables };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [MAIN, ...args],
      { cwd: directory, env, timeout: PATIENCE_MS, maxBuffer: 64 * 1024 * 1024 },
      (error, out, err) => resolve({ code: error === null ? 0 : (child.exitCode ?? -1), out, err }),
    );
    child.stdin?.end(input);
  });
}

/** The first line of the watch that fits; throws with what the watch said last where none comes. */
export async function lineOf(
  watch: WatchProcess,
  directory: string,
  fits: (line: WatchLine) => boolean,
  what: string,
): Promise<WatchLine> {
  const line = await watch.until(fits, PATIENCE_MS);
  if (line !== null) return line;
  throw new Error(`there was no ${what}.\n${story([watch], directory)}`);
}

/** What the watches said last, for the message of a failed expectation. */
export function story(watches: readonly WatchProcess[], directory: string): string {
  const lines = watches.flatMap(({ lines: said }) => said).filter(({ event }) => event !== "notice.undelivered");
  const stderr = join(directory, "watch.stderr.log");
  return [
    "The watch said:",
    ...lines.slice(-25).map(({ at, event, text, incident }) => `  ${at} ${event} [${incident?.id ?? "–"}] ${text}`),
    "On standard error:",
    existsSync(stderr) ? readFileSync(stderr, "utf8").slice(-2000) : "  nothing",
  ].join("\n");
}

/** Asks until there is an answer other than undefined; throws with `why()` where there never is one. */
export async function eventually<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  why: () => string,
  patienceMs: number = PATIENCE_MS,
): Promise<T> {
  for (let rest = patienceMs; rest > 0; rest -= POLL_MS) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await wait(POLL_MS);
  }
  throw new Error(`it never came to be.\n${why()}`);
}
