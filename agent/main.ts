#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The composition root: the only reader of the environment. Everything heavy is imported by the command that needs it. */
const version = (
  JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8")) as { readonly version: string }
).version;

if (process.argv[2] === "--version" || process.argv[2] === "-V") {
  process.stdout.write(`${version}\n`);
} else {
  process.exitCode = await run(process.argv.slice(2));
}

async function run(words: readonly string[]): Promise<number> {
  const [{ runUnship }, { createTerminal }, { openLab }] = await Promise.all([
    import("./compose/run-unship.ts"),
    import("./cli/terminal.ts"),
    import("../evals/lab.ts"),
  ]);
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => abort.abort());
  // A checkout runs this file itself. A package, where it is dist/agent/main.js, is run by its launcher, which finds a Node that is new enough.
  const isCheckout = import.meta.filename.endsWith(".ts");
  const launched = isCheckout ? import.meta.filename : join(dirname(dirname(import.meta.dirname)), "bin/unship.cjs");
  const start = { command: process.execPath, args: [launched] };
  const terminal = createTerminal();
  return runUnship(words, {
    version,
    environment: process.env,
    start,
    terminal,
    lab: openLab(),
    abort: abort.signal,
  });
}
