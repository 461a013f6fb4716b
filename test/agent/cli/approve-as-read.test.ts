import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { approve } from "../../../agent/cli/desk.ts";
import { composeCommands } from "../../../agent/compose/commands.ts";
import { planContent } from "../../../core/guardrails/targets.ts";
import { NO_INCIDENT } from "../../../core/model/plan.ts";
import { policyOf, targetOf } from "../../core/guardrails/rule-inputs.ts";
import { ALICE_TOKEN, openWorld, sha256 } from "../../mcp-tools/gate/gate-world.ts";
import { openDesk } from "./run-cli.ts";

describe("unship approve", () => {
  it("S4: says yes to the plan that was read, not to one that took its place while the token was typed", async () => {
    await using world = await openWorld({ config: policyOf({ mode: "approve" }) });
    const ledger = `${world.folder}/ledger.db`;
    using desk = openDesk({ ledger });
    world.time.now = Date.now();
    world.targets.mark(targetOf(), { warnings: ["the next apply brings v2 back"] });
    const draft = world.draft({ incidentId: NO_INCIDENT, proposedBy: "mcp:stdio:an-assistant" });
    const { plan } = await world.gate.propose(draft);
    const said: string[] = [];
    const askSecret = async () => {
      const edited = { ...plan, targets: [targetOf({ name: "payments" })] };
      const hash = sha256(planContent(edited));
      const database = new DatabaseSync(ledger);
      database
        .prepare("update plans set body = ?, hash = ? where id = ?")
        .run(JSON.stringify({ ...edited, hash }), hash, plan.id);
      database.close();
      return ALICE_TOKEN;
    };
    const commands = composeCommands({
      version: "0.0.0",
      environment: {},
      start: { command: "node", args: ["unship"] },
      terminal: { out: (text) => void said.push(text), err: () => {}, isTty: true, columns: 80, askSecret },
      openBundle: () => Promise.reject(new Error("no bundle is asked for")),
    });
    await expect(approve(commands, plan.id, { config: desk.config })).rejects.toMatchObject({ code: "plan.changed" });
    expect(said.join("")).toContain("service checkout");
    expect(said.join(""), "what the gate said, outside any incident too").toContain("Held by outside-incident");
    expect(said.join("")).toMatch(/Also moves:\n.*the next apply brings v2 back/);
    expect(await world.store.entries({ kinds: ["approval.given"] })).toEqual([]);
  });
});
