import type { ChangeMaker, ChangeWishes } from "./background.ts";
import type { Draw } from "./draw.ts";
import type {
  Clock,
  Fault,
  FixedLine,
  Gap,
  Kind,
  PlannedChange,
  Scenario,
  ServiceModel,
  SystemModel,
  Unread,
} from "./world/model.ts";
import type { SystemWishes } from "./world/system.ts";

/** What a family asks of the world before it is drawn. */
export interface WorldWishes extends SystemWishes {
  readonly watchMinutes?: readonly [low: number, high: number];
  readonly historyMinutes?: readonly [low: number, high: number];
  /** Hours of the day, UTC, between which the watch begins. */
  readonly watchFrom?: readonly [low: number, high: number];
  /** Innocent changes a service and working day. */
  readonly changesPerDay?: readonly [low: number, high: number];
  /** More innocent changes within a quarter of an hour around the moment. */
  readonly crowd?: readonly [low: number, high: number];
  /** So many systems that nothing joins, each of its own size; see world/islands.ts. */
  readonly islands?: number;
  /** Fixed parts of the evidence; what is absent is drawn. */
  readonly evidence?: Partial<Scenario["evidence"]>;
}

/** The world that a family breaks, or leaves alone. */
export interface Stage {
  readonly draw: Draw;
  readonly system: SystemModel;
  readonly clock: Clock;
  /** When the story begins: late enough to be watched from its start, early enough to be seen. Unix ms. */
  readonly moment: number;
  readonly changes: ChangeMaker;
  /** A service by its name. */
  service(name: string): ServiceModel;
  /** Services that are busy enough for a fault in them to be seen: at least `perSecond` requests, and not external. */
  busy(perSecond?: number): readonly ServiceModel[];
  callersOf(name: string): readonly ServiceModel[];
  calleesOf(name: string): readonly ServiceModel[];
  /** Makes one change; see ChangeMaker. */
  change(kind: Kind, service: ServiceModel, at: number, wishes?: ChangeWishes): PlannedChange;
}

/** What a family makes of its stage. All but `changes` and `faults` may be left out. */
export interface Plot {
  /** Why the truth is what it is, in a sentence: what a perfect engineer would say. */
  readonly why: string;
  readonly changes: readonly PlannedChange[];
  readonly faults: readonly Fault[];
  readonly gaps?: readonly Gap[];
  readonly unread?: readonly Unread[];
  readonly lines?: readonly FixedLine[];
  readonly lateStart?: Scenario["lateStart"];
  /** Services that nothing measures. */
  readonly unmeasured?: readonly string[];
  /** Services that get no innocent change of their own near the story, beside those of the plot's changes. */
  readonly quiet?: readonly string[];
  /** How long before the moment those services have had no innocent change, where the story is older than usual. Ms. */
  readonly quietFor?: number;
  /** No innocent change at all from this moment on; for stories whose point is that nothing changed. */
  readonly noChangesFrom?: number;
}

/**
 * One kind of story, one file. `faulty` is what the family means to be; the truth itself is derived from the simulation,
 * and a bundle whose truth disagrees is not made.
 */
export interface Family {
  readonly name: string;
  readonly faulty: boolean;
  /** Several changes must go back, or every one that makes a fault; a world in which fewer suffice does not fit. */
  readonly together?: boolean | "all";
  /** Each guilty change is an incident of its own, with its own onset and rollback. */
  readonly apart?: boolean;
  readonly wishes?: WorldWishes;
  plot(stage: Stage): Plot;
}
