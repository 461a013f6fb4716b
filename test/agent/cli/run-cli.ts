import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { runUnship } from "../../../agent/compose/run-unship.ts";
import { openLab } from "../../../evals/lab.ts";
import { approverKey } from "../../../mcp-tools/gate/approver-key.ts";
import { ALICE_TOKEN } from "../../mcp-tools/gate/gate-world.ts";

export const ROOT = join(import.meta.dirname, "../../..");
const MAIN = join(ROOT, "agent/main.ts");

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly variables?: Readonly<Record<string, string>>;
}

const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { readonly version: string };
let before: Promise<unknown> = Promise.resolve();

/**
 * Runs `unship …` as its program does, without a terminal, with nothing in its environment but what is given; in this process, one
 * command after the other, since the working folder is the process's. For a command that others run beside: `unshipProcess`.
 */
export function unship(words: readonly string[], { cwd = tmpdir(), variables = {} }: RunOptions = {}): Promise<Ran> {
  const ran = before.then(() => runHere(words, cwd, variables));
  before = ran.catch(() => undefined);
  return ran;
}

async function runHere(words: readonly string[], cwd: string, variables: Readonly<Record<string, string>>) {
  const own = process.cwd();
  const [out, err]: [string[], string[]] = [[], []];
  process.chdir(cwd);
  try {
    const code = await runUnship(words, {
      version,
      environment: { PATH: process.env.PATH, ...variables },
      start: { command: process.execPath, args: [MAIN] },
      terminal: {
        out: (said) => void out.push(said),
        err: (said) => void err.push(said),
        isTty: false,
        columns: 80,
        ask: null,
        askSecret: null,
      },
      lab: openLab(),
      abort: new AbortController().signal,
    });
    return { code, out: out.join(""), err: err.join("") };
  } finally {
    process.chdir(own);
  }
}

/** The same as a process of its own. `node`: options of node itself. */
export async function unshipProcess(
  words: readonly string[],
  options: RunOptions & { readonly node?: readonly string[] } = {},
): Promise<Ran> {
  const child = spawn(process.execPath, [...(options.node ?? []), MAIN, ...words], {
    cwd: options.cwd ?? tmpdir(),
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...options.variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const code = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await code, out, err };
}

/** A folder with the seed's file, completed by a ledger and an approver, and tokens in files. */
export interface Desk extends Disposable {
  readonly folder: string;
  readonly config: string;
  /** A file with this token that only its owner can read. */
  tokenFile(token: string, mode?: number): string;
  run(words: readonly string[], options?: RunOptions): Promise<Ran>;
}

/** The secret that the seed's file names is not set on purpose: looking, approving and pausing must not need it. */
export function openDesk(
  options: {
    readonly ledger?: string;
    readonly url?: string;
    readonly signingKey?: string;
    readonly more?: string;
  } = {},
): Desk {
  const folder = mkdtempSync(join(tmpdir(), "unship-cli-"));
  const config = join(folder, "unship.yaml");
  const { url } = options;
  const place = url === undefined ? { path: options.ledger ?? join(folder, "ledger.db") } : { url };
  const seed = readFileSync(join(ROOT, "examples/openclaw-agent-config.yaml"), "utf8");
  writeFileSync(
    config,
    [
      seed,
      `ledger: ${JSON.stringify({ ...place, signing_key: options.signingKey })}`,
      `knowledge: { path: ${JSON.stringify(join(folder, "knowledge"))} }`,
      `approvers: [{ name: alice, token_key: "${approverKey(ALICE_TOKEN).text}" }]`,
      "approval: { token_file: same_user }",
      options.more ?? "",
    ].join("\n"),
  );
  let files = 0;
  return {
    folder,
    config,
    tokenFile(token, mode = 0o600) {
      files += 1;
      const path = join(folder, `token-${files}`);
      writeFileSync(path, `${token}\n`);
      chmodSync(path, mode);
      return path;
    },
    run: (words, run = {}) => unship([...words, "--config", config], { cwd: folder, ...run }),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}
