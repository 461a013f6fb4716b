import type { SandboxEvent } from "../sandbox/acts.ts";
import type { TrafficReport } from "../sandbox/traffic/main.ts";
import type { WorldName } from "../sandbox/worlds.ts";
import type { SandboxWrite } from "../sandbox/writes.ts";
import type { CulpritRecord } from "./culprit-record.ts";

/** The system that a demo breaks: how unship reaches it, how it is broken, and what it records by itself. */
export interface Stage extends AsyncDisposable {
  /** unship's configuration for it, a file. */
  readonly config: string;
  /** What the environment of unship's processes holds. */
  readonly variables: Readonly<Record<string, string>>;
  /** How long it serves in good health before anything breaks, ms. */
  readonly warmUpMs: number;
  /** Breaks it, and says each thing that it does; resolves when all is done. */
  play(onEvent: (event: SandboxEvent) => void): Promise<void>;
  /** Follows the object that is made bad, by the system's own API. */
  follow(culprit: { readonly kind: "deployment" | "flag"; readonly name: string }): Promise<CulpritRecord>;
  writes(): readonly SandboxWrite[];
  /** What visitors saw, second by second. */
  traffic(world: WorldName): readonly TrafficReport[];
}
