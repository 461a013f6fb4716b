/**
 * What an image contains: which service it is, and how this version's code behaves. The process of a pod gets the
 * manifest of its own image and of no other; nothing else tells it what it is or how well it will do.
 */
export interface ImageManifest {
  readonly service: string;
  readonly version: string;
  /** The commit that it was built from, 40 hex digits. */
  readonly commit: string;
  /** The container's memory limit. A process whose resident set passes it is killed, as by a kernel's cgroup. */
  readonly memoryLimitMiB: number;
  /** From listening to ready, ms. */
  readonly startUpMs: number;
  readonly routes: readonly RouteCode[];
  readonly quirks: readonly Quirk[];
}

export interface RouteCode {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Median of the service's own time for one request, ms; calls come on top. Log-normal, σ = 0.35. */
  readonly workMs: number;
  /** Made one after another, each once. One that fails ends the request with 502 or 504. */
  readonly calls: readonly CallCode[];
}

export interface CallCode {
  readonly service: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly timeoutMs: number;
}

/** What this version's code does beside serving well. `share` 0–1: of the requests that come by. */
export type Quirk =
  | { readonly kind: "throws"; readonly share: number; readonly message: string; readonly route?: string }
  /** Throws only in the first `forMs` after its first request: a cold cache, a pool that fills. */
  | { readonly kind: "throws-at-first"; readonly share: number; readonly message: string; readonly forMs: number }
  | { readonly kind: "waits"; readonly share: number; readonly ms: number; readonly route?: string }
  /** Keeps so much of every request for ever. */
  | { readonly kind: "keeps"; readonly kibPerRequest: number }
  /** `readyz` never says yes. */
  | { readonly kind: "stays-unready"; readonly message: string }
  /** A new code path behind a feature flag; while the flag is off it is never entered. */
  | {
      readonly kind: "behind-flag";
      readonly flag: string;
      readonly share: number;
      readonly message: string;
      readonly route: string;
    };
