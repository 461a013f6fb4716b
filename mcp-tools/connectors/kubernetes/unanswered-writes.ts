import type { UnshipError } from "../../../core/errors.ts";
import type { Meta } from "./objects.ts";

type Version = Pick<Meta, "uid" | "resourceVersion">;

/**
 * Writes that were sent and not answered, by the key of their plan's target. Each carries the resourceVersion of the object
 * that was judged: the API server, or what stands before it, may carry one out as long as the object is still at that,
 * and refuses it once anything else was written. Kept by one process: what a dead one sent, nobody knows.
 */
export interface UnansweredWrites {
  sent(key: string, version: Version): void;
  /** What is known of the act where the object stands as it did, and where it stands at this version. */
  whether(key: string, version: Version): Whether;
}

export interface Whether {
  readonly result: "failed" | "unknown";
  readonly detail: string;
  /** What follows from it, for the end of the sentence. */
  readonly next: string;
}

/** As often as a target of a plan is tried: that the second try can be made, the first is called not done. */
const TRIES = 2;
/**
 * An API server gives up a request after a minute (`--request-timeout`). Ten times that is for what stands before it.
 * @see https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
 */
const HELD_MS = 10 * 60_000;

/** Whether a write that failed with this error may be carried out later: no answer came, or a gateway's instead of the server's. */
export function mayStillLand({ facts: { status, because } }: UnshipError): boolean {
  if (typeof status === "number") return GATEWAY.includes(status);
  return because === "timeout" || because === "aborted" || because === "cut-off";
}

/** 504 is the API server's own too, of a request that it may still be processing. */
const GATEWAY: readonly number[] = [502, 503, 504];

export function unansweredWrites(now: () => number): UnansweredWrites {
  const writes = new Map<string, readonly { readonly version: string; readonly at: number }[]>();
  const open = (key: string) => (writes.get(key) ?? []).filter(({ at }) => now() - at < HELD_MS);
  const versionOf = ({ uid, resourceVersion }: Version) => `${uid} ${resourceVersion}`;
  return {
    sent(key, version) {
      for (const old of [...writes.keys()]) if (open(old).length === 0) writes.delete(old);
      writes.set(key, [...open(key), { version: versionOf(version), at: now() }]);
    },
    whether(key, version) {
      const held = open(key).filter((one) => one.version === versionOf(version));
      if (held.length < TRIES) return { result: "failed", detail: "not done", next: "; it may be tried again" };
      return {
        result: "unknown",
        detail: `not done so far, and ${held.length} writes of it were taken and not answered`,
        next: "; either may still be carried out until something else is written to it",
      };
    },
  };
}
