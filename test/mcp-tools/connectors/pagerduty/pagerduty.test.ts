import { describe, expect, it } from "vitest";
import { createPagerduty } from "../../../../mcp-tools/connectors/pagerduty/pagerduty.ts";
import { fakePagerduty } from "../../../fakes/fake-pagerduty.ts";

const KEY = "e93facc04764012d7bfb002500d5d1a6";
const notice = {
  incidentId: "inc-1",
  title: "Rollback of checkout needs a person",
  symptom: "checkout degraded: error rate 31 %",
  lines: ["errors rose", "unship approve plan-1"],
  severity: "warning",
  to: "pagerduty:oncall",
  asks: { planId: "plan-1", planHash: "h", diff: ["checkout: runs v2, will run v1"] },
} as const;

async function opened(routingKeys: Readonly<Record<string, string>> = { oncall: KEY }) {
  const fake = await fakePagerduty([KEY]);
  const pagerduty = createPagerduty({ api: fake.api, routingKeys });
  const dispose = () => pagerduty.close().then(() => fake[Symbol.asyncDispose]());
  return { fake, pagerduty, [Symbol.asyncDispose]: dispose };
}

describe("a notice to PagerDuty", () => {
  it("is one alert with what is known and how to answer, however often it is sent; a reminder is another", async () => {
    await using on = await opened();
    for (let n = 0; n < 2; n += 1) {
      expect(await on.pagerduty.notify(notice)).toEqual({ delivered: true, detail: "sent to oncall in PagerDuty" });
    }
    expect([...on.fake.alerts.values()]).toEqual([
      {
        events: 2,
        payload: {
          summary: "Rollback of checkout needs a person: checkout degraded: error rate 31 %",
          source: "unship",
          severity: "warning",
          custom_details: {
            incident: "inc-1",
            what: "errors rose\nunship approve plan-1\ncheckout: runs v2, will run v1",
          },
        },
      },
    ]);
    await on.pagerduty.notify({ ...notice, title: "Rollback of checkout still needs a person" });
    await on.pagerduty.notify({ ...notice, incidentId: "inc-2" });
    expect(on.fake.alerts.size).toBe(3);
    const other = { ...notice, asks: { ...notice.asks, planId: "plan-2" } };
    const { asks: _, ...stopped } = notice;
    for (const one of [other, { ...stopped, planId: "plan-3" }, { ...stopped, planId: "plan-4" }]) {
      await on.pagerduty.notify({ ...one, incidentId: "none" });
      await on.pagerduty.notify({ ...one, incidentId: "none" });
    }
    expect(on.fake.alerts.size).toBe(6);
  });

  it("that resolves earlier ones closes exactly those, by the keys they were opened with, and opens none", async () => {
    await using on = await opened();
    const { asks, ...plain } = notice;
    const whole = { ...plain, title: "checkout: no change is the culprit" };
    for (const one of [notice, whole, { ...whole, title: "another" }]) await on.pagerduty.notify(one);
    const resolves = [{ title: notice.title, planId: asks.planId }, { title: whole.title }];
    expect(await on.pagerduty.notify({ ...whole, title: "Recovered", resolves })).toMatchObject({ delivered: true });
    expect(on.fake.events.map(({ action }) => action)).toEqual(["trigger", "trigger", "trigger", "resolve", "resolve"]);
    const [first, second, third] = on.fake.events.map(({ key }) => key);
    expect(on.fake.events.slice(3).map(({ key }) => key)).toEqual([first, second]);
    expect([...on.fake.open]).toEqual([third]);
  });

  it("with a title of any length is taken", async () => {
    await using on = await opened();
    expect(await on.pagerduty.notify({ ...notice, title: "x".repeat(5000) })).toMatchObject({ delivered: true });
  });

  it.each([
    ["without a key for the name", { other: KEY }],
    ["for a name that every object has", {}],
  ])("%s is undelivered and says so", async (_, keys) => {
    await using on = await opened(keys as Readonly<Record<string, string>>);
    const to = Object.keys(keys).length === 0 ? "pagerduty:constructor" : notice.to;
    expect(await on.pagerduty.notify({ ...notice, to })).toMatchObject({
      delivered: false,
      detail: expect.stringMatching(/^undelivered: no routing key for /),
    });
  });

  it("S10: with a key that PagerDuty does not know fails without telling the key", async () => {
    await using on = await opened({ oncall: "a-wrong-key-9f2c" });
    const failed = await on.pagerduty.notify(notice).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "source.refused", facts: { status: 400 } });
    expect(String(failed)).not.toContain("a-wrong-key-9f2c");
  });
});
