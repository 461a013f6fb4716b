import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { openFileQueue } from "../../../knowledge/ledger/file-queue.ts";
import { SLOW_MS } from "../../../knowledge/ledger/turns.ts";
import { draftOf, ledgerFile } from "./ledger-files.ts";

const folders: string[] = [];
const place = () => {
  const folder = mkdtempSync(join(tmpdir(), "unship-queue-"));
  folders.push(folder);
  return join(folder, "ledger.db");
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe("the queue for a ledger's file", () => {
  it("serves in the order of coming, whoever opened it", () => {
    const path = place();
    const tickets = [openFileQueue(path), openFileQueue(path), openFileQueue(path)].map((queue) => queue.join());
    expect(tickets.map((ticket) => ticket.ahead() === null)).toEqual([true, false, false]);
    expect(new Set(tickets.slice(1).map((ticket) => ticket.ahead())).size).toBe(1);
    tickets[0]?.leave();
    expect(tickets.slice(1).map((ticket) => ticket.ahead() === null)).toEqual([true, false]);
    expect(openFileQueue(path).empty()).toBe(false);
    for (const ticket of tickets) ticket.leave();
    expect(openFileQueue(path).empty()).toBe(true);
  });

  it("gives somebody their old place back who was struck off and comes after all", () => {
    const queue = openFileQueue(place());
    const [first, second] = [queue.join(), queue.join()];
    second.strike(second.ahead() ?? "");
    expect(second.ahead()).toBeNull();
    expect(first.ahead()).toBeNull();
    expect(second.ahead()).not.toBeNull();
  });

  it("holds nobody up where its folder cannot be made", () => {
    const path = place();
    writeFileSync(`${path}-queue`, "a file in its place");
    const queue = openFileQueue(path);
    const tickets = [queue.join(), queue.join()];
    expect(queue.empty()).toBe(true);
    expect(tickets.map((ticket) => ticket.ahead())).toEqual([null, null]);
    tickets[0]?.leave();
  });
});

describe("writers that wait for one SQLite ledger", () => {
  const waiting = (path: string) => {
    try {
      return readdirSync(`${path}-queue`).length;
    } catch {
      return 0;
    }
  };

  /** Five that come one after the other while somebody writes: in which order they wrote, and how long the first of them waited, ms. */
  const fiveInTurn = async () => {
    await using file = await ledgerFile();
    const ledgers = await Promise.all(Array.from({ length: 5 }, () => file.open()));
    const holder = new DatabaseSync(file.path);
    holder.exec("begin immediate");
    const began = performance.now();
    const writes: Promise<unknown>[] = [];
    for (const [n, ledger] of ledgers.entries()) {
      writes.push(ledger.append(draftOf({ n })));
      await expect.poll(() => waiting(file.path), { timeout: 10_000, interval: 2 }).toBe(n + 1);
    }
    holder.exec("commit");
    holder.close();
    await Promise.all(writes);
    const waitedMs = performance.now() - began;
    expect(waiting(file.path)).toBe(0);
    return { order: (await file.ledger.entries()).map(({ body }) => (body as { n: number }).n), waitedMs };
  };

  it("write in the order in which they came, unless one is held up for so long that those behind try too", async () => {
    const came = [0, 1, 2, 3, 4];
    // A busy machine may hold each of them up: then the order is not promised, and it is tried again.
    for (let attempt = 0; attempt < 40; attempt++) {
      const { order, waitedMs } = await fiveInTurn();
      expect(order.toSorted()).toEqual(came);
      if (waitedMs < SLOW_MS) {
        expect(order).toEqual(came);
        return;
      }
    }
    expect.fail(`none of 40 tries took less than ${SLOW_MS} ms`);
  });

  it("pass by a ticket that a killed process left behind, and take it away", async () => {
    await using file = await ledgerFile();
    mkdirSync(`${file.path}-queue`);
    for (const n of [1, 2]) writeFileSync(join(`${file.path}-queue`, `${String(n).padStart(21, "0")}-999-0`), "");
    await Promise.all([file.ledger, await file.open()].map((ledger, n) => ledger.append(draftOf({ n }))));
    expect(await file.ledger.entries()).toHaveLength(2);
    await file.ledger.append(draftOf({ n: 2 }));
    expect(waiting(file.path)).toBe(0);
  });
});
