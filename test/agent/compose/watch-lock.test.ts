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
  it("lets one watch in, refuses a second, and lets another in once the first has gone", async () => {
    const first = await lockWatch({ file: ledger });
    await expect(lockWatch({ file: ledger })).rejects.toThrow(/Another watch works on/);
    await first.release();
    await (await lockWatch({ file: ledger })).release();
  });

  it("is gone with a process that was killed", async () => {
    const script = `import { lockWatch } from ${JSON.stringify(join(import.meta.dirname, "../../../agent/compose/watch-lock.ts"))};
      await lockWatch({ file: process.argv[1] }); globalThis.gc(); process.stdout.write("held"); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--expose-gc", "--input-type=module", "-e", script, ledger], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(child.stdout, "data");
    await expect(lockWatch({ file: ledger })).rejects.toThrow(/Another watch works on/);
    child.kill("SIGKILL");
    await once(child, "exit");
    await (await lockWatch({ file: ledger })).release();
  });
});
