import { createIncidentStore } from "../../knowledge/store.ts";
import { incident } from "./incidents.ts";

/** A process to be killed: remembers one incident after the other and prints the id of each that was acknowledged. */
const store = createIncidentStore({ path: process.argv[2] ?? "", table: "openclaw_knowledge_base", include: [] });
for (let index = 0; ; index += 1) {
  await store.remember({ ...incident, id: `inc-${index}` });
  process.stdout.write(`inc-${index}\n`);
}
