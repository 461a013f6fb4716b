import { afterEach, describe, expect, it, vi } from "vitest";
import { createFlights, GIVEN_UP_MS } from "../../../agent/watch/flights.ts";

const never = () => new Promise<void>(() => {});

function flightsOver(time: { now: number }, patienceMs?: number) {
  const said: string[] = [];
  const flights = createFlights({
    patienceMs,
    now: () => time.now,
    failed: (key, error) => said.push(`failed ${key}: ${error instanceof Error ? error.message : ""}`),
    late: (key) => said.push(`late ${key}`),
    landed: (key) => said.push(`landed ${key}`),
  });
  return { flights, said };
}

describe("pieces of work of one tick", () => {
  afterEach(() => void vi.useRealTimers());

  it("that hang leave as much to those after them as they took, however many hang", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    const soon = async <T>(work: Promise<T>): Promise<T> => {
      await vi.runAllTimersAsync();
      return work;
    };
    const { flights } = flightsOver({ now: 0 }, 400);
    const waited: number[] = [];
    flights.begin();
    for (const name of ["a", "b", "c", "d"]) {
      const from = performance.now();
      const run = flights.run(name, never);
      await vi.advanceTimersToNextTimerAsync();
      expect(await run).toBe("late");
      waited.push(performance.now() - from);
    }
    const work = () => new Promise<void>((resolve) => setTimeout(resolve, 1));
    expect(await soon(flights.run("e", work))).toBe("done");
    flights.end();
    // Each waited for half as long as the one before it: the patience is never used up by those before.
    expect(waited).toEqual([200, 100, 50, 25]);
  });

  it("are left alone while they are on their way, said once, and begun anew when they are given up", async () => {
    const time = { now: 0 };
    const { flights, said } = flightsOver(time, 20);
    flights.begin();
    await flights.run("a", never);
    flights.begin();
    flights.begin();
    expect(said).toEqual(["late a"]);
    expect(await flights.run("a", async () => {})).toBe("busy");
    time.now = GIVEN_UP_MS;
    expect(await flights.run("a", async () => {})).toBe("done");
    expect(said).toEqual(["late a", "landed a"]);
    expect(flights.has("a")).toBe(false);
    flights.end();
  });

  it("are waited for until they are done where there is no patience, and what fails is said", async () => {
    const { flights, said } = flightsOver({ now: 0 });
    flights.begin();
    const work = async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      throw new Error("no");
    };
    expect(await flights.run("a", work)).toBe("done");
    expect(said).toEqual(["failed a: no", "landed a"]);
  });
});
