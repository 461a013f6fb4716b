import type { Quirk } from "./service/manifest.ts";
import { canaryName, commitOf, EXTERNAL, FLAG } from "./shop.ts";
import type { WorldName } from "./worlds.ts";

/** What a scenario can do to the system: what people and the outside can do to a real one. */
export interface Acts {
  /** Pushes the service's next version, with these quirks in its code, and deploys it. `commit`: what many are built from at once. */
  release(service: string, author: string, quirks: readonly Quirk[], commit?: string): Promise<void>;
  /** The same, to the service's canary alone. */
  releaseCanary(service: string, author: string, quirks: readonly Quirk[]): Promise<void>;
  setFlag(flag: string, enabled: boolean, author: string): Promise<void>;
  /** The bank's own trouble: share of requests that it refuses, 0–1. */
  bankRefuses(share: number): void;
  /** Lets so many minutes of the story go by; the sandbox says how long one of them lasts. */
  passMinutes(minutes: number): Promise<void>;
}

export interface Scenario {
  readonly title: string;
  readonly act: (acts: Acts) => Promise<void>;
  /** The service that has a canary's Deployment beside it from the start, which takes its part of the traffic. */
  readonly canaryOf?: string;
  /** What runs; the shop alone where it is left out. */
  readonly worlds?: readonly WorldName[];
  /** What a good operator would do about it, for whoever scores; nothing in the running system can read it. */
  readonly truth: Truth;
  /** Where the culprit is; the shop where it is left out. */
  readonly world?: WorldName;
  /**
   * What else is broken meanwhile: in worlds that nothing joins to the first one's an incident of its own each; in the same world
   * by the same release, which may be undone in one incident.
   */
  readonly also?: readonly (Truth & { readonly world: WorldName })[];
}

export interface Truth {
  readonly action: "rollback" | "feature_flag_disable" | "no_action";
  readonly culprit: string | null;
}

/** A few seconds: long enough to show in every signal, too short for any policy to act on. */
const BLIP_MS = 2500;

const NOTHING = { action: "no_action", culprit: null } as const;
const rollback = (culprit: string) => ({ action: "rollback", culprit }) as const;

const CHARGE_FAILS: Quirk = {
  kind: "throws",
  share: 0.35,
  message: "TypeError: cannot read properties of undefined (reading 'currency') at Charge.total",
};

const ROW_FAILS: Quirk = {
  kind: "throws",
  share: 0.35,
  message: "Error: cannot decode row: unknown tag 7 (Rows.decode)",
};

/** So many story minutes after the first break comes the second: when the first is being decided. */
const MEANWHILE_MINUTES = 2 / 3;

/** Of all of catalog a twenty-fifth: too little for a policy that looks at the service, enough beside the stable version. */
const ITEM_FAILS: Quirk = {
  kind: "throws",
  share: 0.12,
  message: "RangeError: invalid array length (ItemPage.slice)",
};

export const SCENARIOS = {
  "bad-deploy": {
    title: "a deploy of payments makes a third of all charges fail",
    act: (acts) => acts.release("payments", "ana", [CHARGE_FAILS]),
    truth: rollback("payments"),
  },
  "bad-latency": {
    title: "a deploy of catalog makes four in ten of its answers three seconds slower",
    act: (acts) => acts.release("catalog", "ben", [{ kind: "waits", share: 0.4, ms: 3000 }]),
    truth: rollback("catalog"),
  },
  decoy: {
    title: "an unrelated deploy of checkout, and a minute later a bad one of payments, which it calls",
    async act(acts) {
      await acts.release("checkout", "cleo", []);
      await acts.passMinutes(1);
      await acts.release("payments", "ana", [CHARGE_FAILS]);
    },
    truth: rollback("payments"),
  },
  leak: {
    title: "a deploy of pricing keeps 160 KiB of every request for ever",
    act: (acts) => acts.release("pricing", "dan", [{ kind: "keeps", kibPerRequest: 160 }]),
    truth: rollback("pricing"),
  },
  "not-ready": {
    title: "a deploy of inventory never gets ready",
    act: (acts) =>
      acts.release("inventory", "eve", [
        { kind: "stays-unready", message: "migration 0042 is missing: column stock.reserved_until does not exist" },
      ]),
    truth: rollback("inventory"),
  },
  canary: {
    title: "the canary of catalog, which has a third of its traffic, gets a version that fails an eighth of it",
    canaryOf: "catalog",
    act: (acts) => acts.releaseCanary("catalog", "hal", [ITEM_FAILS]),
    truth: rollback(canaryName("catalog")),
  },
  "good-canary": {
    title: "the canary of catalog gets a version that serves as the stable one does",
    canaryOf: "catalog",
    act: (acts) => acts.releaseCanary("catalog", "ida", []),
    truth: NOTHING,
  },
  flag: {
    title: "somebody switches checkout's new code path on, and it fails",
    act: (acts) => acts.setFlag(FLAG.name, true, "fay"),
    truth: { action: "feature_flag_disable", culprit: FLAG.name },
  },
  "external-outage": {
    title: `the ${EXTERNAL} outside refuses six requests in ten; nothing inside changed`,
    act: async (acts) => acts.bankRefuses(0.6),
    truth: NOTHING,
  },
  blip: {
    title: "a good deploy of cart whose pods fail for their first seconds, and then serve well",
    act: (acts) =>
      acts.release("cart", "gus", [
        {
          kind: "throws-at-first",
          share: 0.3,
          forMs: BLIP_MS,
          message: "cart store: connection pool is not filled yet",
        },
      ]),
    truth: NOTHING,
  },
  two: {
    title:
      "a deploy of payments makes a third of all charges fail; seconds later a deploy in another team's system, which nothing joins to the shop, makes four in ten answers of figures three seconds slower",
    worlds: ["shop", "reports"],
    async act(acts) {
      await acts.release("payments", "ana", [CHARGE_FAILS]);
      await acts.passMinutes(MEANWHILE_MINUTES);
      await acts.release("figures", "kim", [{ kind: "waits", share: 0.4, ms: 3000 }]);
    },
    truth: rollback("payments"),
    also: [{ ...rollback("figures"), world: "reports" }],
  },
  train: {
    title: "one commit is released to both services of another team's system at once, and fails in each of them",
    worlds: ["shop", "reports"],
    world: "reports",
    async act(acts) {
      const commit = commitOf("one release of figures and reports");
      await Promise.all(["figures", "reports"].map((name) => acts.release(name, "kim", [ROW_FAILS], commit)));
    },
    truth: rollback("figures"),
    also: [{ ...rollback("reports"), world: "reports" }],
  },
  quiet: { title: "nothing happens", act: async () => undefined, truth: NOTHING },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;

export const SCENARIO_NAMES: readonly ScenarioName[] = Object.keys(SCENARIOS).filter(isScenarioName);

export function isScenarioName(name: string): name is ScenarioName {
  return Object.hasOwn(SCENARIOS, name);
}
