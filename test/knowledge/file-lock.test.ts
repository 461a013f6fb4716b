import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exclusively, tryFileLock } from "../../knowledge/file-lock.ts";

const MODULE = join(import.meta.dirname, "../../knowledge/file-lock.ts");

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "unship-file-lock-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("a lock on a file", () => {
  it("is held by one at a time, and free once it is released, however often", () => {
    const file = join(folder, "lock");
    const first = tryFileLock(file);
    expect(first).not.toBeNull();
    expect(tryFileLock(file)).toBeNull();
    first?.release();
    first?.release();
    const second = tryFileLock(file);
    expect(second).not.toBeNull();
    second?.release();
  });

  it("says what is wrong where its file cannot be opened", () => {
    expect(() => tryFileLock(join(folder, "missing", "lock"))).toThrow(/unable to open/);
  });

  it("is no lock where the file is something else", async () => {
    const file = join(folder, "lock");
    await writeFile(file, "not a database, but a text that somebody has put there. ".repeat(100));
    expect(() => tryFileLock(file)).toThrow(/not a database/);
  });
});

describe("exclusively", () => {
  it("runs one piece of work after another, and frees the lock of one that failed", async () => {
    const file = join(folder, "deep", "lock");
    let inside = 0;
    const work = async (index: number) => {
      inside += 1;
      expect(inside).toBe(1);
      await pause(5);
      inside -= 1;
      if (index === 1) throw new Error("no luck");
      return index;
    };
    const all = await Promise.allSettled([0, 1, 2].map((index) => exclusively(file, 10_000, () => work(index))));
    expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  it("gives up after its time", async () => {
    const file = join(folder, "lock");
    const held = tryFileLock(file);
    await expect(exclusively(file, 40, async () => 1)).rejects.toThrow(/held .*lock for longer than 0.04 s/);
    held?.release();
  });

  it("keeps processes apart that read, wait and write the same file", async () => {
    const counter = join(folder, "counter");
    await writeFile(counter, "0");
    const script = `import { exclusively } from ${JSON.stringify(MODULE)};
      import { readFile, writeFile } from "node:fs/promises";
      import { setTimeout } from "node:timers/promises";
      const [lock, counter] = process.argv.slice(1);
      for (let turn = 0; turn < 10; turn += 1) await exclusively(lock, 60_000, async () => {
        const value = Number(await readFile(counter, "utf8"));
        await setTimeout(2);
        await writeFile(counter, String(value + 1));
      });`;
    const run = async () => {
      const args = ["--input-type=module", "-e", script, join(folder, "lock"), counter];
      const [code] = await once(spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] }), "exit");
      expect(code).toBe(0);
    };
    await Promise.all([run(), run(), run()]);
    expect(await readFile(counter, "utf8")).toBe("30");
  });
});
