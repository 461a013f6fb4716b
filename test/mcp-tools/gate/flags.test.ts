import { describe, expect, it } from "vitest";
import type { Target } from "../../../core/model/plan.ts";
import type { Executor } from "../../../core/ports.ts";
import { connectFlagsmith } from "../../../mcp-tools/connectors/flagsmith/flagsmith.ts";
import { connectLaunchDarkly } from "../../../mcp-tools/connectors/launchdarkly/launchdarkly.ts";
import { connectUnleash } from "../../../mcp-tools/connectors/unleash/unleash.ts";
import { assessmentOf, changeOf, flagOf, policyOf, serviceOf } from "../../core/guardrails/rule-inputs.ts";
import { ENVIRONMENT_KEY, FLAGSMITH_TOKEN, fakeFlagsmith, PROJECT } from "../../fakes/fake-flagsmith.ts";
import { fakeLaunchDarkly, LAUNCHDARKLY_TOKEN } from "../../fakes/fake-launchdarkly.ts";
import { fakeUnleash, UNLEASH_TOKEN } from "../../fakes/fake-unleash.ts";
import { openWorld } from "./gate-world.ts";

const SERVES = { services: [{ service: "checkout", flags: ["new-cart"] }], environment: "production", now: () => 0 };

interface FlagSystem extends AsyncDisposable {
  readonly project: string;
  /** A connection of a process of its own. */
  connect(): Executor;
  /** Somebody switches `new-cart`. */
  toggle(on: boolean): void;
  /** As a plan names it now. */
  version(): string;
  writes(): number;
  /** A flag that is on only while `new-cart` is. */
  depend(name: string): void;
}

/** `new-cart`, which ada switched on, in three systems of three kinds. */
const SYSTEMS: Readonly<Record<string, () => Promise<FlagSystem>>> = {
  Unleash: async () => {
    const fake = await fakeUnleash({ project: "default", environments: ["production"] });
    const children: string[] = [];
    fake.create("new-cart");
    fake.toggle("new-cart", "production", true, "ada");
    const options = { endpoint: fake.url, token: UNLEASH_TOKEN, project: "default", actor: "unship", ...SERVES };
    return {
      project: "default",
      connect: () => connectUnleash(options).disable,
      toggle: (on) => fake.toggle("new-cart", "production", on, "ada"),
      version: () => String(fake.events.at(-1)?.id),
      writes: () => fake.writes.length,
      depend(name) {
        children.push(name);
        fake.create("new-cart", [], children);
        fake.toggle("new-cart", "production", true, "ada");
      },
      [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
    };
  },
  LaunchDarkly: async () => {
    const fake = await fakeLaunchDarkly({ project: "shop", environments: ["production"] });
    const toggle = (key: string, on: boolean) => fake.change(key, "production", { on }, "ada@example.com");
    let version = 1;
    fake.create("new-cart");
    toggle("new-cart", true);
    const options = { endpoint: fake.url, token: LAUNCHDARKLY_TOKEN, project: "shop", ...SERVES };
    return {
      project: "shop",
      connect: () => connectLaunchDarkly(options).disable,
      toggle: (on) => {
        version += 1;
        toggle("new-cart", on);
      },
      version: () => String(version + 1 + fake.writes.length),
      writes: () => fake.writes.length,
      depend(name) {
        fake.create(name, { needs: ["new-cart"] });
        toggle(name, true);
      },
      [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
    };
  },
  Flagsmith: async () => {
    const fake = await fakeFlagsmith();
    fake.create("new-cart");
    fake.change("new-cart", { enabled: true }, "ada@example.com");
    const options = {
      endpoint: fake.url,
      token: FLAGSMITH_TOKEN,
      project: PROJECT,
      environmentKey: ENVIRONMENT_KEY,
      ...SERVES,
    };
    return {
      project: String(PROJECT),
      connect: () => connectFlagsmith(options).disable,
      toggle: (on) => fake.change("new-cart", { enabled: on }, "ada@example.com"),
      version: () => fake.versionOf("new-cart"),
      writes: () => fake.writes.length,
      depend: () => {},
      [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
    };
  },
};

const targetIn = (system: FlagSystem, changeId = "flag-new-cart"): Target =>
  flagOf({
    changeId,
    object: { kind: "Flag", namespace: system.project, name: "new-cart" },
    environment: "production",
    expected: { version: system.version(), revision: "on" },
    restore: { version: system.version(), revision: "off" },
  });

describe("S5, S13: a switch-off whose answer was lost, and which a person undid", () => {
  it.each([
    ["Unleash", "stopped", "failed"],
    ["LaunchDarkly", "stopped", "failed"],
    // Its log names neither keys nor plans: after a restart nobody can say whose switch it was.
    ["Flagsmith", "stopped", "unknown"],
  ] as const)(
    "in %s counts as an act, and is not followed by a second automatic one",
    async (name, outcome, result) => {
      await using system = (await SYSTEMS[name]?.()) as FlagSystem;
      const target = targetIn(system);
      const first = system.connect();
      const silent: Executor = {
        ...first,
        execute: (...asked) => first.execute(...asked).then(() => Promise.reject(new Error("cut off"))),
        reconcile: () => Promise.reject(new Error("no answer")),
      };
      const services = { checkout: serviceOf({ flags: ["new-cart"] }) };
      await using world = await openWorld({ config: { services }, parts: { executors: [silent] } });
      world.assessment = assessmentOf({ targets: [target] });
      const { plan } = await world.gate.propose(world.draft({ targets: [target] }));
      expect((await world.gate.submit(plan.id)).results).toMatchObject([{ result: "unknown" }]);
      system.toggle(true);
      const later = world.newGate({ executors: [system.connect()], owner: { id: "later", gone: () => true } });
      const [answer] = await later.recover();
      expect(answer).toMatchObject({ outcome, results: [{ result }] });
      const finished = await world.store.entries({ kinds: ["target.finished"] });
      expect(finished.map(({ body }) => (body as { readonly released: boolean }).released)).not.toContain(true);
      world.time.now += 60_000;
      const again = targetIn(system, "flag-new-cart-again");
      const change = changeOf(again, { startedAt: world.time.now - 30_000 });
      world.assessment = assessmentOf({ targets: [again], changes: [change] });
      const second = await later.propose(world.draft({ targets: [again], incidentId: "incident-2" }));
      expect((await later.submit(second.plan.id)).outcome).not.toBe("executed");
      expect(system.writes()).toBe(1);
    },
  );
});

describe("S3: a flag that others depend on", () => {
  const payments = serviceOf({ flags: ["pay-v2"] });
  it.each<[string, Parameters<typeof submitted>[2], string]>([
    ["a service under never_auto_rollback has one of them", { payments, never: ["payments"] }, "held"],
    ["one of them stands there itself", { payments, never: ["pay-v2"] }, "held"],
    ["no service of the file describes one", { never: [] }, "held"],
    ["they are more services than one plan may touch", { payments, never: [], most: 1 }, "held"],
    ["all of it is described, small and free", { payments, never: [] }, "executed"],
  ])("where %s, the plan is %3$s", async (_, setting, outcome) => {
    for (const name of ["Unleash", "LaunchDarkly"]) {
      await using system = (await SYSTEMS[name]?.()) as FlagSystem;
      system.depend("pay-v2");
      expect(await submitted(system, () => {}, setting), name).toBe(outcome);
    }
  });

  it("holds the plan as well where the dependent came after it was proposed", async () => {
    for (const name of ["Unleash", "LaunchDarkly"]) {
      await using system = (await SYSTEMS[name]?.()) as FlagSystem;
      const setting = { payments, never: ["payments"] };
      expect(await submitted(system, () => system.depend("pay-v2"), setting), name).not.toBe("executed");
      expect(system.writes()).toBe(0);
    }
  });

  it("stays automatic where nothing depends on it", async () => {
    for (const [name, open] of Object.entries(SYSTEMS)) {
      await using system = await open();
      expect(await submitted(system, () => {}, { payments, never: ["payments"], most: 1 }), name).toBe("executed");
    }
  });

  async function submitted(
    system: FlagSystem,
    between: () => void,
    { payments, never, most = null }: { payments?: typeof checkout; never: readonly string[]; most?: number | null },
  ): Promise<string> {
    const target = targetIn(system);
    const config = {
      guardrails: { ...policyOf().guardrails, neverAutoRollback: never },
      blastRadius: { services: most, trafficShare: null, replicas: null },
      services: { checkout, ...(payments === undefined ? {} : { payments }) },
    };
    await using world = await openWorld({ config, parts: { executors: [system.connect()] } });
    world.assessment = assessmentOf({ targets: [target] });
    const { plan } = await world.gate.propose(world.draft({ targets: [target] }));
    between();
    return (await world.gate.submit(plan.id)).outcome;
  }
  const checkout = serviceOf({ flags: ["new-cart"] });
});
