import type { Registry } from "../registry.ts";
import type { StoreEvent } from "../store.ts";

/** One controller: which objects an event makes it look at, and what it does when it looks. */
export interface Controller {
  readonly name: string;
  /** Keys ("namespace/name") to look at after this event. */
  keysOf(event: StoreEvent): readonly string[];
  /** Brings one object nearer to what is wanted. Returns after how many ms to look again, if at all. */
  reconcile(key: string): number | undefined;
}

export interface Loop {
  /** Has `idle` wait for this too. */
  track(work: Promise<unknown>): void;
  /** Resolves when nothing is queued and nothing is tracked. Timers that are not yet due are not waited for. */
  idle(): Promise<void>;
  stop(): void;
}

/**
 * Runs controllers level-triggered: an event only says that a key is worth a look, and looks are deduplicated.
 *
 * @param report told of an error in a controller; the key is tried again after a second
 */
export function startLoop(
  registry: Registry,
  controllers: readonly Controller[],
  report: (controller: string, key: string, error: unknown) => void,
): Loop {
  const queued = new Map<string, { readonly controller: Controller; readonly key: string }>();
  const timers = new Map<string, NodeJS.Timeout>();
  const tracked = new Set<Promise<unknown>>();
  let scheduled: NodeJS.Immediate | undefined;
  let stopped = false;

  const enqueue = (controller: Controller, key: string) => {
    if (stopped) return;
    queued.set(`${controller.name} ${key}`, { controller, key });
    scheduled ??= setImmediate(drain);
  };

  const lookLater = (controller: Controller, key: string, afterMs: number) => {
    const id = `${controller.name} ${key}`;
    clearTimeout(timers.get(id));
    timers.set(
      id,
      setTimeout(() => {
        timers.delete(id);
        enqueue(controller, key);
      }, afterMs),
    );
  };

  function drain(): void {
    scheduled = undefined;
    const batch = [...queued.values()];
    queued.clear();
    for (const { controller, key } of batch) {
      if (stopped) return;
      try {
        const afterMs = controller.reconcile(key);
        if (afterMs !== undefined) lookLater(controller, key, Math.max(1, afterMs));
      } catch (error) {
        report(controller.name, key, error);
        lookLater(controller, key, 1000);
      }
    }
  }

  const unsubscribe = registry.store.subscribe((event) => {
    for (const controller of controllers) for (const key of controller.keysOf(event)) enqueue(controller, key);
  });

  return {
    track(work) {
      const settled = work.then(
        () => undefined,
        () => undefined,
      );
      tracked.add(settled);
      void settled.then(() => tracked.delete(settled));
    },
    async idle() {
      while (!stopped && (queued.size > 0 || tracked.size > 0)) {
        if (queued.size > 0) await new Promise((resolve) => setImmediate(resolve));
        else await Promise.race(tracked);
      }
    },
    stop() {
      stopped = true;
      unsubscribe();
      if (scheduled !== undefined) clearImmediate(scheduled);
      for (const timer of timers.values()) clearTimeout(timer);
      timers.clear();
      queued.clear();
    },
  };
}
