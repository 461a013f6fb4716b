import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { lockWatch } from "../../../agent/compose/watch-lock.ts";

const folder = mkdtempSync(join(tmpdir(), "unship-lock-"));
const ledger = join(folder, "ledger.db");
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("lockWatch", () => {
  it("lets one watch in, refuses a second, and lets another in once the first has gone", () => {
    const first = lockWatch(ledger);
    expect(() => lockWatch(ledger)).toThrow(/Another watch works on/);
    first.release();
    lockWatch(ledger).release();
  });

  it("is gone with a process that was killed", async () => {
    const script = `import { lockWatch } from ${JSON.stringify(join(import.meta.dirname, "../../../agent/compose/watch-lock.ts"))};
      lockWatch(process.argv[1]); globalThis.gc(); process.stdout.write("held"); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--expose-gc", "--input-type=module", "-e", script, ledger], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    expect(() => lockWatch(ledger)).toThrow(/Another watch works on/);
    child.kill("SIGKILL");
    await once(child, "exit");
    lockWatch(ledger).release();
  });
});
