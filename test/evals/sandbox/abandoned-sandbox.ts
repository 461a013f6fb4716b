import { startSandbox } from "../../../evals/sandbox/sandbox.ts";

/** Starts a sandbox, says which processes belong to it, and waits for whoever started it to kill it. */
const sandbox = await startSandbox({ directory: process.argv[2] ?? "" });
process.stdout.write(`${JSON.stringify(sandbox.processes())}\n`);
