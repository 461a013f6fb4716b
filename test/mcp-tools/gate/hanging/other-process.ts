import { createInterface } from "node:readline";
import { type HangingTask, openHangingGate } from "./open.ts";

/** A second gate over the same ledger, in a process of its own: each line is a plan to submit, or "recover". */
const { gate, store } = await openHangingGate(JSON.parse(process.argv[2] ?? "{}") as HangingTask);
process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) {
  const answers = line === "recover" ? await gate.recover() : [await gate.submit(line)];
  process.stdout.write(`${JSON.stringify(answers)}\n`);
}
await store.close();
