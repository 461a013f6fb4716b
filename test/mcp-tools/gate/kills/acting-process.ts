import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { submit, takeUpExecution } from "../../../../agent/watch/acting.ts";
import type { Pursuit } from "../../../../agent/watch/pursuit.ts";
import type { Incident } from "../../../../core/model/incident.ts";
import { INCIDENT, openActing, type Step, type Task } from "./acting.ts";

/** A process that carries out one plan as the watch does. It is killed from outside; it knows nothing of that. */
const task = JSON.parse(process.argv[2] ?? "{}") as Task;
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Tells where it stands, and waits for the word to go on. */
async function at(place: string): Promise<void> {
  process.stdout.write(`at ${place}\n`);
  await answers.next();
}

const step: Step = async (name, work) => {
  if (!task.stepped) return work(async () => {});
  await at(`before ${name}`);
  const done = await work(() => at(`inside ${name}`));
  await at(`after ${name}`);
  return done;
};

const { gate, store, now } = await openActing(task, step);
const pursuit = {
  parts: { gate, ledger: store, clock: { now }, emit: () => {}, config: { policies: [] } },
  caseFile: { at: now() },
  save: (incident: Incident) => store.saveIncident(incident),
} as unknown as Pursuit;

const incident = async (): Promise<Incident> => {
  const found = await store.incident(INCIDENT);
  if (found === null) throw new Error("there is no incident");
  return found;
};
if (task.again) await gate.recover();
const first = await incident();
if (first.stage === "investigated" && first.plan !== null) await submit(first, first.plan.id, pursuit);
for (let now = await incident(); now.stage === "executing"; now = await incident()) {
  await takeUpExecution(now, pursuit);
  await delay(20);
}
process.stdout.write("end\n");
process.exit(0);
