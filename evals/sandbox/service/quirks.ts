import type { Flags } from "./flags.ts";
import type { ImageManifest, Quirk } from "./manifest.ts";

/** A bug met while serving one request: becomes a 500, a log line and an error on the span. */
export class Bug extends Error {}

export interface Quirks {
  /** What the code does with one request before it answers: nothing, waits, keeps memory, or throws a `Bug`. */
  meet(route: string): Promise<void>;
  /** Why the pod will never be ready; undefined: it will. */
  readonly unready: string | undefined;
}

/** Runs the part of a version's code that its manifest calls quirks. */
export function createQuirks(manifest: ImageManifest, flags: Flags | undefined): Quirks {
  let firstAt: number | undefined;
  const kept: Buffer[] = [];
  const unready = manifest.quirks.find((quirk) => quirk.kind === "stays-unready");

  async function one(quirk: Quirk, route: string): Promise<void> {
    switch (quirk.kind) {
      case "throws":
        if (concerns(quirk, route) && happens(quirk.share)) throw new Bug(quirk.message);
        return;
      case "throws-at-first":
        if (performance.now() - (firstAt ?? 0) < quirk.forMs && happens(quirk.share)) throw new Bug(quirk.message);
        return;
      case "waits":
        if (concerns(quirk, route) && happens(quirk.share)) await sleep(quirk.ms);
        return;
      case "keeps":
        // Filled, so that the pages are really there and the resident set grows.
        kept.push(Buffer.alloc(quirk.kibPerRequest * 1024, 1));
        return;
      case "behind-flag":
        if (concerns(quirk, route) && flags?.isEnabled(quirk.flag) && happens(quirk.share))
          throw new Bug(quirk.message);
        return;
      case "stays-unready":
        return;
    }
  }

  return {
    async meet(route) {
      firstAt ??= performance.now();
      for (const quirk of manifest.quirks) await one(quirk, route);
    },
    unready: unready?.message,
  };
}

function concerns(quirk: { readonly route?: string }, route: string): boolean {
  return quirk.route === undefined || quirk.route === route;
}

function happens(share: number): boolean {
  return Math.random() < share;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
