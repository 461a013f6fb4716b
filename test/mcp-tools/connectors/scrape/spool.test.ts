import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSpool } from "../../../../mcp-tools/connectors/scrape/spool.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "unship-spool-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const FOREVER = 1e12;
async function write(from: number, to: number, more: object = {}) {
  const spool = await openSpool({ folder, windowMs: FOREVER, ...more }, 0, () => {});
  for (let at = from; at < to; at += 1) await spool.append({ at });
  await spool.close();
}
async function recovered(from = 0) {
  const ats: number[] = [];
  const spool = await openSpool({ folder, windowMs: FOREVER }, from, ({ at }) => ats.push(at));
  await spool.close();
  return { ats, torn: spool.torn };
}
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe("spool", () => {
  it("gives back what was written, in order, over several lives and segments", async () => {
    await write(0, 30, { segmentBytes: 100 });
    await write(30, 60, { segmentBytes: 100 });
    expect(await recovered()).toEqual({ ats: numbers(0, 60), torn: 0 });
    expect(await recovered(50)).toEqual({ ats: numbers(50, 60), torn: 0 });
  });

  it("writes records in the order in which they were given, whoever waits", async () => {
    const spool = await openSpool({ folder, windowMs: FOREVER, segmentBytes: 100 }, 0, () => {});
    await Promise.all(numbers(0, 50).map((at) => spool.append({ at })));
    await spool.close();
    expect((await recovered()).ats).toEqual(numbers(0, 50));
  });

  it("drops what is older than the window, and the oldest where all would be too large", async () => {
    await write(0, 100, { segmentBytes: 100, windowMs: 30 });
    const { ats } = await recovered();
    expect(ats.at(-1)).toBe(99);
    expect(ats[0]).toBeGreaterThan(40);
    expect(ats[0]).toBeLessThanOrEqual(69);
    await write(100, 400, { segmentBytes: 100, maxBytes: 500 });
    const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(500 + 2 * 130);
    expect((await recovered()).ats.at(-1)).toBe(399);
  });

  it("lets several processes write side by side, and drops no segment that another still writes to", async () => {
    const open = (windowMs: number, segmentBytes = 100) => openSpool({ folder, windowMs, segmentBytes }, 0, () => {});
    const slow = await open(FOREVER, 1e6);
    await slow.append({ at: 1 });
    const quick = await open(30);
    await slow.append({ at: 2 });
    for (let at = 3; at < 60; at += 1) await quick.append({ at });
    await slow.append({ at: 60 });
    await Promise.all([slow.close(), quick.close()]);
    const { ats, torn } = await recovered();
    expect(torn).toBe(0);
    expect(ats).toEqual(expect.arrayContaining([1, 2, 59, 60]));
    expect(new Set(ats).size).toBe(ats.length);
  });

  it("survives a file that was cut anywhere or has rubbish in it: whole records stay, torn ones are counted", async () => {
    await write(0, 20);
    const file = join(folder, (await readdir(folder))[0] ?? "");
    const whole = await readFile(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length), fc.string({ unit: "binary", maxLength: 40 }), async (cut, rubbish) => {
        await writeFile(file, whole);
        await truncate(file, cut);
        await appendFile(file, rubbish);
        const kept = whole.subarray(0, cut).toString().split("\n").slice(0, -1).length;
        const { ats } = await recovered();
        expect(ats.slice(0, kept)).toEqual(numbers(0, kept));
        expect(ats.length).toBeLessThanOrEqual(kept + 1);
      }),
      { numRuns: 60 },
    );
  });

  it("refuses a single garbled byte", async () => {
    await write(0, 3);
    const file = join(folder, (await readdir(folder))[0] ?? "");
    const bytes = await readFile(file);
    bytes[bytes.indexOf("1}")] = "7".charCodeAt(0);
    await writeFile(file, bytes);
    expect(await recovered()).toEqual({ ats: [0, 2], torn: 1 });
  });

  it("says where it cannot write", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(openSpool({ folder: join(folder, "file"), windowMs: 1 }, 0, () => {})).rejects.toMatchObject({
      code: "store.unavailable",
    });
  });

  it("loses nothing that it said was safe, however often the process is killed", async () => {
    let next = 0;
    for (const lives of [40, 17, 63, 5]) {
      const script = join(import.meta.dirname, "spool-child.ts");
      const child = spawn(process.execPath, [script, folder, String(next)], { stdio: ["ignore", "pipe", "inherit"] });
      let safe = next - 1;
      for await (const line of createInterface({ input: child.stdout })) {
        safe = Number(line);
        if (safe >= next + lives) child.kill("SIGKILL");
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      expect(child.signalCode).toBe("SIGKILL");
      const { ats } = await recovered();
      expect(ats.slice(0, safe + 1)).toEqual(numbers(0, safe + 1));
      // What was written and not yet said to be safe may be there too, at most once each.
      expect(new Set(ats).size).toBe(ats.length);
      next = (ats.at(-1) ?? -1) + 1;
    }
  });
});
