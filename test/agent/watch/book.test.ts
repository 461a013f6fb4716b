import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Book, createBook } from "../../../agent/watch/book.ts";
import { advance, close, note, openIncident } from "../../../agent/watch/incident-state.ts";
import type { Incident } from "../../../core/model/incident.ts";
import { assessmentOf, NOW } from "../../core/guardrails/rule-inputs.ts";

const ID = "inc-1";
const incident = openIncident(ID, assessmentOf());

/** What one of several writers does to the incident: a step with its stages, which may stop at a write that fails; or changes. */
type Doing =
  | { readonly kind: "step"; readonly stages: number; readonly closes: boolean; readonly stops: boolean }
  | { readonly kind: "change"; readonly twice: boolean };

const step: fc.Arbitrary<Doing> = fc
  .tuple(fc.integer({ min: 1, max: 3 }), fc.constantFrom(false, false, true), fc.boolean())
  .map(([stages, closes, stops]) => ({ kind: "step", stages, closes, stops }));
const change: fc.Arbitrary<Doing> = fc.boolean().map((twice) => ({ kind: "change", twice }));
const doing = fc.oneof(step, change);

const linesOf = ({ timeline }: Incident, prefix: string) =>
  timeline.flatMap(({ event }) => (event.startsWith(prefix) ? [event] : []));

/** A book over a ledger whose writes end in any order that the scheduler likes, and sometimes fail. */
function bookOver(scheduler: fc.Scheduler, failing: readonly number[]) {
  const stored: Incident[] = [];
  let writes = 0;
  const book = createBook({
    async save(next) {
      writes += 1;
      const isFailing = failing.includes(writes);
      await scheduler.schedule(Promise.resolve(), `write ${writes}`);
      if (isFailing) throw new Error("the ledger cannot be written");
      stored.push(next);
    },
    noted: () => {},
    closed: () => {},
  });
  return { book, stored };
}

/** Whether it came to its end; a write that the ledger refuses is the writer's to know. */
const succeeds = (work: Promise<void>): Promise<boolean> =>
  work.then(
    () => true,
    () => false,
  );

/** Does it, and returns what was promised: the lines of which the book said that they are written. */
async function write(book: Book, what: Doing, name: string, scheduler: fc.Scheduler): Promise<readonly string[]> {
  const promised: string[] = [];
  if (what.kind === "change") {
    for (const line of what.twice ? [`${name}.1`, `${name}.2`] : [`${name}.1`]) {
      let wasOpen = false;
      const added = book.amend(ID, (one) => {
        wasOpen = true;
        return note(one, NOW, line, "");
      });
      if ((await succeeds(added)) && wasOpen) promised.push(line);
    }
    return promised;
  }
  const lease = await book.take(ID);
  if (lease === undefined) return promised;
  let own = lease.incident;
  for (let stage = 1; stage <= what.stages; stage += 1) {
    await scheduler.schedule(Promise.resolve(), `${name} works`);
    const line = `${name}.${stage}`;
    own = advance(own, "investigated", NOW, line, "");
    const isEnd = what.closes && stage === what.stages;
    const isSaved = await succeeds(lease.save(isEnd ? close(own, "withdrawn", NOW, "it is over") : own));
    if (isSaved) promised.push(line);
    else if (what.stops) break;
  }
  lease.release();
  return promised;
}

describe("writers of one incident at once", () => {
  it("lose nothing, say nothing twice, and open nothing again that was closed", async () => {
    const seen = { late: 0, closed: 0, beside: 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(doing, { minLength: 2, maxLength: 6 }),
        fc.array(fc.integer({ min: 2, max: 12 }), { maxLength: 2 }),
        async (scheduler, doings, failing) => {
          const { book, stored } = bookOver(scheduler, failing);
          const began = book.begin(incident);
          const writers = Promise.all([
            began,
            ...doings.map(async (what, index) => {
              await scheduler.schedule(Promise.resolve(), `writer ${index} begins`);
              return write(book, what, `${what.kind}-${index}`, scheduler);
            }),
          ]);
          await scheduler.waitFor(writers);
          const [, ...promised] = await writers;
          const last = stored.at(-1);
          if (last === undefined) throw new Error("nothing was stored");
          // The book is what the ledger has, and what is closed is not in it.
          expect(book.incidents.get(ID)).toEqual(last.stage === "closed" ? undefined : last);
          expect(stored.slice(0, -1).filter(({ stage }) => stage === "closed")).toEqual([]);
          if (last.stage === "closed") seen.closed += 1;
          // Each change that was promised is in the end's history, once, whatever steps ended beside it.
          const changes = linesOf(last, "change-");
          expect([...new Set(changes)]).toEqual(changes);
          for (const line of promised.flat()) if (line.startsWith("change-")) expect(changes).toContain(line);
          // Steps that had it one after the other keep their lines; of one that was given up nothing comes later.
          const steps = linesOf(last, "step-");
          expect([...new Set(steps)]).toEqual(steps);
          if (changes.length > 0 && steps.length > 0) seen.beside += 1;
          for (const [index, one] of stored.entries()) {
            const kept = linesOf(stored[index - 1] ?? one, "change-");
            expect(linesOf(one, "change-")).toEqual(expect.arrayContaining(kept));
          }
          if (promised.some((lines) => lines.length === 0)) seen.late += 1;
        },
      ),
      { numRuns: 500, seed: 13 },
    );
    expect(Math.min(seen.late, seen.closed, seen.beside)).toBeGreaterThan(20);
  });

  it("an earlier step that was given up saves nothing over what the later one saved", async () => {
    const stored: Incident[] = [];
    const book = createBook({ save: async (one) => void stored.push(one), noted: () => {}, closed: () => {} });
    await book.begin(incident);
    const first = await book.take(ID);
    const second = await book.take(ID);
    await second?.save(advance(incident, "investigated", NOW, "second", ""));
    await expect(first?.save(advance(incident, "executing", NOW, "first", ""))).rejects.toThrow("given up");
    first?.release();
    await book.amend(ID, (one) => note(one, NOW, "joined", "cart"));
    await second?.save(advance(incident, "waiting-policy", NOW, "second again", ""));
    expect(stored.at(-1)?.timeline.map(({ event }) => event)).toEqual(["second again", "joined"]);
  });
});
