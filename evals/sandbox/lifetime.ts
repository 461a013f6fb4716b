/** What was started, to be ended in reverse order. (Node 24 has AsyncDisposableStack; Node 22, which we run on, not.) */
export interface Lifetime {
  /** Remembers how to end `thing`, and hands it back. */
  add<T>(thing: T, end: (thing: T) => Promise<unknown>): T;
  /** Ends everything once; a second call waits for nothing. Throws the first error after all has been tried. */
  end(): Promise<void>;
}

export function createLifetime(): Lifetime {
  const ends: (() => Promise<unknown>)[] = [];
  return {
    add(thing, end) {
      ends.push(() => end(thing));
      return thing;
    },
    async end() {
      const errors: unknown[] = [];
      for (let next = ends.pop(); next !== undefined; next = ends.pop())
        await next().catch((error: unknown) => errors.push(error));
      if (errors.length > 0) throw errors[0];
    },
  };
}
