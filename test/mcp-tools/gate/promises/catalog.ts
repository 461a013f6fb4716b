/**
 * The small company that the promises are tried on: what people wrote into its file, and what can be taken back in it.
 * Plain facts in the words of the promises, for the model and for the world that the real gate is put into.
 */
export type Mode = "observe" | "approve" | "auto";
export type Importance = "low" | "medium" | "high" | "critical";
export type ActionName =
  | "kubectl_rollout_undo"
  | "feature_flag_disable"
  | "argocd_sync_to_previous"
  | "database_migration_rollback";

export interface Service {
  readonly mode: Mode;
  readonly importance: Importance;
  readonly workload?: string;
  readonly flags?: readonly string[];
}

/** Services as the file describes them; what is not here is described nowhere. */
export const SERVICES: Readonly<Record<string, Service>> = {
  checkout: { mode: "auto", importance: "medium", flags: ["new-cart", "both"] },
  cart: { mode: "auto", importance: "medium", flags: ["both"] },
  web: { mode: "auto", importance: "high", flags: ["wide", "strange"] },
  billing: { mode: "auto", importance: "medium" },
  payments: { mode: "auto", importance: "medium", workload: "pay-api" },
  ghost: { mode: "observe", importance: "low" },
  careful: { mode: "approve", importance: "low" },
  vault: { mode: "auto", importance: "low" },
  orders: { mode: "auto", importance: "low" },
};

/** Under `never_auto_rollback`. */
export const NEVER_AUTO: readonly string[] = ["billing", "payments"];

/** One thing that a plan can name. */
export interface Thing {
  readonly name: string;
  readonly action: ActionName;
  /** The service that a plan claims for it. */
  readonly service: string;
  readonly place: string;
  /** Services of the file that it belongs to, whatever a plan claims. */
  readonly owners: readonly string[];
  /** What its own system says would change with it; null: it does not say. */
  readonly reaches: readonly string[] | null;
  /** A name that a tired person would take this one for. */
  readonly looksLike?: string;
}

const workload = (name: string, change: Partial<Thing> = {}): Thing => ({
  name,
  action: "kubectl_rollout_undo",
  service: name,
  place: "production",
  owners: name in SERVICES ? [name] : [],
  reaches: null,
  ...change,
});
const flag = (name: string, service: string, change: Partial<Thing> = {}): Thing => ({
  ...workload(name, { action: "feature_flag_disable", service, place: "default", owners: [service] }),
  reaches: [service],
  ...change,
});

export const THINGS: readonly Thing[] = [
  workload("checkout"),
  workload("cart"),
  workload("web"),
  workload("billing"),
  workload("ghost"),
  workload("careful"),
  // Disguised: the plan says web, the object is the workload of a protected service.
  workload("pay-api", { service: "web", owners: ["web", "payments"] }),
  workload("vault", { place: "guarded" }),
  workload("elsewhere", { place: "staging" }),
  // Drawn like a protected name, in plain letters and in Cyrillic ones.
  workload("bi11ing", { owners: ["billing"], looksLike: "billing" }),
  workload("sеarch"),
  flag("new-cart", "checkout"),
  flag("wide", "web", { reaches: ["web", "billing"] }),
  flag("strange", "web", { reaches: ["web", "nobody-knows"] }),
  flag("loose", "cart", { reaches: null }),
  // One switch for two services: by the file, and by what its own system says alone.
  flag("both", "cart", { owners: ["cart", "checkout"], reaches: null }),
  flag("shared", "cart", { reaches: ["cart", "checkout"] }),
  flag("hushed", "web", { reaches: ["web", "ghost"] }),
  flag("slow", "cart", { reaches: ["cart", "careful"] }),
  workload("shop-app", { action: "argocd_sync_to_previous", service: "web", owners: ["web"] }),
  workload("orders", { action: "database_migration_rollback" }),
];

/** Things that no rule has anything against by themselves. */
export const PLAIN: readonly string[] = ["checkout", "cart", "web", "new-cart", "both", "shared"];

/** Requests a second by service, as the world measures them. */
export const TRAFFIC: Readonly<Record<string, number>> = { checkout: 50, cart: 30, web: 20 };
export const PODS = 3;

export interface Person {
  readonly name: string;
  readonly services: readonly string[] | null;
  readonly actions: readonly ActionName[] | null;
  readonly upTo: Importance;
}
export const PEOPLE: readonly Person[] = [
  { name: "alice", services: null, actions: null, upTo: "critical" },
  { name: "bob", services: ["checkout", "cart"], actions: null, upTo: "critical" },
  { name: "carol", services: null, actions: ["kubectl_rollout_undo"], upTo: "medium" },
];

/** What people set, and a run varies. null: no limit. */
export interface Limits {
  readonly perHour: number | null;
  readonly perDay: number | null;
  readonly cooldownMs: number;
  readonly cooldownForAll: boolean;
  readonly escalateAfter: number | null;
  readonly mostServices: number | null;
  readonly mostTraffic: number | null;
  readonly mostPods: number | null;
  readonly kinds: number;
  readonly confidence: number | null;
  /** Services whose rollback needs two people. */
  readonly twoPeople: readonly string[];
}

export const NO_LIMITS: Limits = {
  perHour: null,
  perDay: null,
  cooldownMs: 0,
  cooldownForAll: false,
  escalateAfter: null,
  mostServices: null,
  mostTraffic: null,
  mostPods: null,
  kinds: 1,
  confidence: null,
  twoPeople: [],
};

/** What is not as it should be in one situation; each has one meaning, in the model and in the world. */
export const TROUBLES = [
  "freeze-denies",
  "freeze-asks",
  "freeze-allows",
  "rule-breaks",
  "edited",
  "moved",
  "being-changed",
  "someone-deployed",
  "no-known-good",
  "same-version",
  "obstacle",
  "less-capacity",
  "capacity-unknown",
  "traffic-unknown",
  "culprit-is-migration",
  "one-way-migration",
  "migration-before",
  "blind",
  "old-assessment",
  "target-unreadable",
  "other-order",
  "other-change",
  "decision-is-none",
  "no-condition",
  "review-condition",
  "not-automatic",
  "doubt",
  "no-culprit",
  "wants-person",
  "expression",
  "outside",
  "own-rollback",
  "redo",
  "warning",
  "already",
  "one-kind",
] as const;
export type Trouble = (typeof TROUBLES)[number];

/** How a target behaves when it is written to. */
export const FAULTS = [
  "fail",
  "refuse",
  "unreachable",
  "lost-before-once",
  "lost-before",
  "lost-after",
  "deaf",
  // It writes, ends badly, and its answer is lost.
  "breaks",
  "moves-first",
] as const;
export type Fault = (typeof FAULTS)[number] | null;

export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;
