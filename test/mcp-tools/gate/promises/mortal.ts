import type { GateStore } from "../../../../core/guardrails/gate-store.ts";
import type { Executor, Ledger } from "../../../../core/ports.ts";

/** `inside`: after the work of a transaction, before it is committed. */
export type Phase = "before" | "inside" | "after";
export interface Crash {
  readonly step: number;
  readonly phase: Phase;
}

class Dead extends Error {}

/**
 * One process as the gate sees it, which can die: at the given step, counted over ledger writes and executor calls.
 * From then on nothing that it calls does anything, as if it were gone.
 */
export class Life {
  readonly #crash: Crash | null;
  /** Between steps, so that several lives interleave. */
  readonly #pause: () => Promise<void>;
  #alive = true;
  steps = 0;

  constructor(crash: Crash | null = null, pause: () => Promise<void> = async () => {}) {
    this.#crash = crash;
    this.#pause = pause;
  }

  get died(): boolean {
    return !this.#alive;
  }

  store(store: Ledger & GateStore): Ledger & GateStore {
    const step = <T>(act: (inside: () => void) => Promise<T>) => this.#step(act);
    const read =
      <A extends readonly unknown[], T>(method: (...args: A) => Promise<T>) =>
      async (...args: A): Promise<T> => {
        this.#check();
        return method(...args);
      };
    return {
      ...store,
      plan: read(store.plan),
      entries: read(store.entries),
      pauses: read(store.pauses),
      append: (draft) => step(() => store.append(draft)),
      transact: (work) =>
        step((inside) =>
          store.transact(async (tx) => {
            const done = await work(tx);
            inside();
            return done;
          }),
        ),
    };
  }

  executor(executor: Executor): Executor {
    return {
      ...executor,
      inspect: async (target, abort) => {
        this.#check();
        return executor.inspect(target, abort);
      },
      execute: (target, key, abort) => this.#step(() => executor.execute(target, key, abort)),
      reconcile: async (target, key, abort) => {
        this.#check();
        return executor.reconcile(target, key, abort);
      },
    };
  }

  async #step<T>(act: (inside: () => void) => Promise<T>): Promise<T> {
    this.#check();
    const step = ++this.steps;
    const at = (phase: Phase) => {
      if (this.#crash?.step === step && this.#crash.phase === phase) this.#alive = false;
      this.#check();
    };
    await this.#pause();
    at("before");
    try {
      return await act(() => at("inside"));
    } finally {
      at("after");
    }
  }

  #check(): void {
    if (!this.#alive) throw new Dead("this process is gone");
  }
}
