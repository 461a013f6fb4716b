import { describe, expect, it } from "vitest";
import { openLiveSystem } from "../../../agent/compose/live-system.ts";
import { changed, loaded, UNSHIP } from "../../core/config/fixtures.ts";
import { ENVIRONMENT_KEY, FLAGSMITH_TOKEN, fakeFlagsmith, PROJECT } from "../../fakes/fake-flagsmith.ts";
import { fakeLaunchDarkly, LAUNCHDARKLY_TOKEN } from "../../fakes/fake-launchdarkly.ts";
import { fakeUnleash, UNLEASH_TOKEN } from "../../fakes/fake-unleash.ts";

const never = new AbortController().signal;
const ALL = { from: 0, to: Date.UTC(2100, 0) };

/** One flag of each vendor, `new-cart`, that ada switched on in production, and how the file names it. */
const VENDORS = {
  unleash: async () => {
    const fake = await fakeUnleash({ project: "default", environments: ["production"] });
    fake.create("new-cart");
    fake.toggle("new-cart", "production", true, "ada");
    return { fake, file: { token: UNLEASH_TOKEN } };
  },
  launchdarkly: async () => {
    const fake = await fakeLaunchDarkly({ project: "shop", environments: ["production"] });
    fake.create("new-cart");
    fake.change("new-cart", "production", { on: true }, "ada");
    return { fake, file: { api_key: LAUNCHDARKLY_TOKEN, project: "shop" } };
  },
  flagsmith: async () => {
    const fake = await fakeFlagsmith();
    fake.create("new-cart");
    fake.change("new-cart", { enabled: true }, "ada");
    return { fake, file: { token: FLAGSMITH_TOKEN, project: PROJECT, environment_key: ENVIRONMENT_KEY } };
  },
};

describe("a live system with flags of", () => {
  it.each(Object.entries(VENDORS))(
    "%s reads states and history, answers check, and has a hand only for the gate",
    async (type, start) => {
      const { fake, file } = await start();
      await using _ = fake;
      const source = { type, endpoint: fake.url.href, ...file };
      const text = changed(
        UNSHIP,
        ["data_sources.feature_flags", source],
        ["data_sources.deployments", undefined],
        ["services", { checkout: { flags: ["new-cart"] } }],
      );
      const open = (act: boolean) =>
        openLiveSystem({ config: loaded(text), clock: { now: () => 0 }, environment: {}, act, note: () => {} });
      const [reading, acting] = await Promise.all([open(false), open(true)]);
      try {
        expect(await reading.sources.flags[0]?.flags(never)).toMatchObject([
          { key: "new-cart", environment: "production", enabled: true, services: ["checkout"] },
        ]);
        expect(await reading.sources.changes[0]?.changes(ALL, never)).toMatchObject([
          { kind: "flag", service: "checkout", from: "off", to: "on", environment: "production" },
        ]);
        const reports = (await reading.report(never)).filter(({ text }) => text.startsWith(type));
        expect(reports).toMatchObject([{ ok: true, text: expect.stringMatching(/1 flags in .+\/production$/) }]);
        expect(reading.executors).toEqual([]);
        expect(acting.executors.map(({ action }) => action)).toEqual(["feature_flag_disable"]);
      } finally {
        await Promise.all([reading.close(), acting.close()]);
      }
    },
  );
});
