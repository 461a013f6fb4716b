import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OutcomeField } from "../../core/config/config.ts";
import type { Incident } from "../../core/model/incident.ts";
import { configuredStore, createIncidentStore, type Memory } from "../../knowledge/store.ts";
import { config } from "../mcp-tools/scenario.ts";
import { incident } from "./incidents.ts";

const ALL: readonly OutcomeField[] = [
  "deployment_details",
  "anomaly_metrics",
  "rollback_duration",
  "recovery_confirmed",
];

const STORE = join(import.meta.dirname, "../../knowledge/store.ts");

let path = "";
let store: Memory;
const open = (include = ALL) => createIncidentStore({ path, table: "openclaw_knowledge_base", include });

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "unship-memory-"));
  store = open();
});
afterEach(async () => {
  await store.close();
  await rm(path, { recursive: true, force: true });
});

const other = (id: string, service: string, metric: string, message: string) => ({
  ...incident,
  id,
  service,
  affectedServices: [service],
  findings: incident.findings.slice(0, 1).map((one) => ({ ...one, service, metric, labels: { signature: message } })),
});

describe("the incident store", () => {
  it("finds an incident again by its error message, and says how it ended", async () => {
    await store.remember(incident);
    await store.remember(other("inc-2", "search", "p99_latency", "upstream timed out"));
    const [first] = await store.recall({ text: "NullPointerException in the cart", limit: 5 });
    expect(first).toMatchObject({ incidentId: incident.id, outcome: "recovered", at: incident.detectedAt });
    expect(first?.summary).toContain("checkout: rollback, outcome recovered.");
  });

  it("prefers the service that is asked about among equal messages", async () => {
    for (const service of ["orders", "payments", "stock"]) {
      await store.remember(other(`inc-${service}`, service, "error_rate", "connection refused"));
    }
    const [first] = await store.recall({ text: "connection refused", services: ["payments"], limit: 3 });
    expect(first?.incidentId).toBe("inc-payments");
  });

  it("keeps one row an incident, however often it is remembered", async () => {
    for (const outcome of ["unknown", "not-recovered", "recovered"] as const)
      await store.remember({ ...incident, outcome });
    const all = await store.list(10);
    expect(all.map(({ outcome }) => outcome)).toEqual(["recovered"]);
  });

  it("refuses an incident that has no outcome yet", async () => {
    await expect(store.remember({ ...incident, outcome: null })).rejects.toMatchObject({ code: "input.invalid" });
  });

  it("takes its table's name from log_outcome.store, and is absent without log_outcome", async () => {
    const feedback = { ...config().feedback, logOutcome: { store: "our_past", include: ALL } };
    const named = configuredStore(config({ knowledge: { path }, feedback }));
    await named?.remember(incident);
    await named?.close();
    expect(await readdir(path)).toContain("our_past.lance");
    expect(configuredStore(config())).toBeNull();
  });

  it.each<[OutcomeField, found: RegExp]>([
    ["deployment_details", /v1\.4\.1 → v1\.4\.2/],
    ["anomaly_metrics", /error_rate 0\.0021 → 0\.312/],
    ["rollback_duration", /4m30s/],
    ["recovery_confirmed", /Recovery was confirmed/],
  ])("stores %s only where log_outcome.include names it", async (field, found) => {
    await store.remember(incident);
    expect((await store.list(1))[0]?.summary).toMatch(found);
    const without = open(ALL.filter((one) => one !== field));
    await without.rebuild([incident]);
    expect((await without.list(1))[0]?.summary).not.toMatch(found);
    await without.close();
  });

  it.each([
    ["ended as unknown", { outcome: "unknown" }],
    ["was superseded", { outcome: "superseded" }],
    ["was verified as unknown", { recovery: { verdict: "unknown", at: 1, checks: [] } }],
    ["was not verified", { recovery: null }],
  ] satisfies readonly (readonly [string, Partial<Incident>])[])(
    "S9: holds no confirmed recovery of an incident that %s",
    async (_, change) => {
      await store.remember({ ...incident, ...change });
      expect((await store.list(1))[0]?.summary).toMatch(/Recovery was not confirmed/);
    },
  );

  it("finds the right one among many, compacting as it goes, and sees what another handle wrote", async () => {
    const writer = open();
    for (let index = 0; index < 70; index += 1) {
      await writer.remember(other(`inc-${index}`, `service-${index}`, "error_rate", `failure number${index}x`));
    }
    await writer.close();
    const [first] = await store.recall({ text: "failure number57x", limit: 1 });
    expect(first?.incidentId).toBe("inc-57");
  });

  it("loses nothing when several open it at once for the first time", async () => {
    // LanceDB's creation alone fails about once in three rounds here.
    for (let round = 0; round < 12; round += 1) {
      const several = Array.from({ length: 4 }, () =>
        createIncidentStore({ path, table: `round-${round}`, include: ALL }),
      );
      await Promise.all(several.map((one, index) => one.remember({ ...incident, id: `inc-${index}` })));
      const ids = (await several[0]?.list(10))?.map(({ incidentId }) => incidentId).sort();
      expect(ids).toEqual(["inc-0", "inc-1", "inc-2", "inc-3"]);
      await Promise.all(several.map((one) => one.close()));
    }
  });

  it("loses nothing when several processes open it at once for the first time", async () => {
    const script = `import { createIncidentStore } from ${JSON.stringify(STORE)};
      const [path, name, text] = process.argv.slice(1);
      const one = createIncidentStore({ path, table: name, include: [] });
      await one.remember(JSON.parse(text));
      await one.close();`;
    const remember = async (table: string, id: string) => {
      const args = ["--input-type=module", "-e", script, path, table, JSON.stringify({ ...incident, id })];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
      const [code] = await once(child, "exit");
      expect(code).toBe(0);
    };
    const ids = ["inc-0", "inc-1", "inc-2", "inc-3"];
    await Promise.all(ids.map((id) => remember("shared", id)));
    const shared = createIncidentStore({ path, table: "shared", include: ALL });
    expect((await shared.list(10)).map(({ incidentId }) => incidentId).sort()).toEqual(ids);
    await shared.close();
  });

  it("forgets on demand", async () => {
    await store.remember(incident);
    await store.forget(incident.id);
    expect(await store.list(10)).toEqual([]);
  });

  it("answers any question text without failing", async () => {
    await store.remember(incident);
    for (const text of ["", "  ", '"*)( AND OR:^~ [a TO b]', "«", "x".repeat(20_000), "'; DROP TABLE x"]) {
      await expect(store.recall({ text, limit: 3 })).resolves.toBeInstanceOf(Array);
    }
  });

  it("keeps no secret that stood in a commit message", async () => {
    const leaky = { ...incident, changes: incident.changes.map((one) => ({ ...one, message: "token=hunter2secret" })) };
    await store.remember(leaky);
    await store.close();
    store = open();
    expect(JSON.stringify(await store.recall({ text: "hunter2secret", limit: 3 }))).not.toContain("hunter2secret");
  });
});

describe("a damaged store", () => {
  it("says how to rebuild it, and is whole again after a rebuild from incidents", async () => {
    await store.remember(incident);
    await store.close();
    await rm(join(path, "openclaw_knowledge_base.lance", "data"), { recursive: true });
    const versions = join(path, "openclaw_knowledge_base.lance", "_versions");
    for (const file of await readdir(versions)) await writeFile(join(versions, file), "garbage");
    store = open();
    await expect(store.recall({ text: "checkout", limit: 3 })).rejects.toMatchObject({
      code: "store.unavailable",
      message: expect.stringContaining("unship knowledge rebuild"),
    });
    await store.rebuild([incident, { ...incident, id: "still-open", outcome: null }]);
    expect((await store.recall({ text: "checkout", limit: 3 })).map((one) => one.incidentId)).toEqual([incident.id]);
  });

  it("is whole again after a process died between making the table and its indexes", async () => {
    const lance = await import("@lancedb/lancedb");
    await store.remember(incident);
    await store.close();
    const db = await lance.connect(path);
    const table = await db.openTable("openclaw_knowledge_base");
    for (const { name } of await table.listIndices()) await table.dropIndex(name);
    db.close();
    store = open();
    expect((await store.recall({ text: "checkout", limit: 1 }))[0]?.incidentId).toBe(incident.id);
  });

  it("refuses a table name that LanceDB cannot hold", async () => {
    const odd = createIncidentStore({ path, table: "a/b", include: ALL });
    await expect(odd.recall({ text: "x", limit: 1 })).rejects.toMatchObject({ code: "store.unavailable" });
  });

  it("has every incident that it acknowledged after kill -9 in the middle of writing", async () => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "remember-forever.ts"), path], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const acknowledged: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged.push(line);
      if (acknowledged.length === 40) child.kill("SIGKILL");
    }
    const kept = new Set((await store.list(1_000)).map((one) => one.incidentId));
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThanOrEqual(40);
  });
});
