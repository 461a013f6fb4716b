import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { requireInstalled } from "../real-component.ts";
import { isUnleashInstalled, UNLEASH_FOLDER } from "./install-unleash.mjs";
import { hasPostgres, startPostgres } from "./postgres.ts";
import type { UnleashTask } from "./unleash-main.ts";

/** Whether the real Unleash and its database are on this machine; see `requireReal` for what a missing one means. */
export function hasUnleash(): boolean {
  const server = requireInstalled(isUnleashInstalled(), "Unleash", "node test/real/install-unleash.mjs");
  return hasPostgres() && server;
}

export interface UnleashServer extends AsyncDisposable {
  readonly url: URL;
  /** Calls its Admin API as one of `people`; throws where it does not answer with success. */
  call(by: string, method: string, path: string, body?: unknown): Promise<unknown>;
  /** The flags that are on, as a program that evaluates them in development gets them. */
  evaluated(): Promise<readonly string[]>;
  /** Forgets every flag and every event; the ids of events go on. */
  clear(): Promise<void>;
}

/** The token of a person, or of unship. */
const tokenOf = (name: string): string => `*:*.${name}-admin-token-0123456789`;

/** Unleash wants a client's token to begin with its project and environment. */
const CLIENT = "default:development.shop-client-token-0123456789";

/** Unleash 7 in a process of its own on a PostgreSQL of its own, with an admin token for each name. */
export async function startUnleash(names: readonly string[], secrets: Readonly<Record<string, string>> = {}) {
  const postgres = await startPostgres();
  const ledger = await postgres.freshLedger();
  await postgres.run(ledger, "create database unleash");
  const task: UnleashTask = {
    folder: UNLEASH_FOLDER,
    socket: new URL(ledger).searchParams.get("host") ?? "",
    database: "unleash",
    tokens: names.map((name) => ({ name, secret: secrets[name] ?? tokenOf(name) })),
    clientSecret: CLIENT,
  };
  // Unleash's own use of its database driver warns of what a later one will refuse.
  const node = ["--disable-warning=DeprecationWarning", join(import.meta.dirname, "unleash-main.ts")];
  const child = spawn(process.execPath, [...node, JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, "line"), exited])) as [unknown];
  if (typeof line !== "string") throw new Error("Unleash ended before it served; see standard error");
  const url = new URL(`http://127.0.0.1:${(JSON.parse(line) as { port: number }).port}`);
  const database = new URL(ledger);
  database.pathname = "/unleash";
  database.searchParams.delete("options");
  const call = async (authorization: string, method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: { authorization, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Unleash answered ${method} ${path} with ${response.status}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  };
  const server: UnleashServer = {
    url,
    call: (by, method, path, body) => call(secrets[by] ?? tokenOf(by), method, path, body),
    async evaluated() {
      const { features } = (await call(CLIENT, "GET", "/api/client/features")) as {
        readonly features: readonly { readonly name: string; readonly enabled: boolean }[];
      };
      return features.filter(({ enabled }) => enabled).map(({ name }) => name);
    },
    clear: () => postgres.run(database.href, "truncate table events, features cascade"),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exited;
      await postgres[Symbol.asyncDispose]();
    },
  };
  return server;
}
