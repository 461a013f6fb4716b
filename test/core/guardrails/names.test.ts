import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isPlainName, listedName, namesOf } from "../../../core/guardrails/names.ts";
import { skeleton } from "../../../core/model/skeleton.ts";
import { flagOf, serviceOf, targetOf } from "./rule-inputs.ts";

describe("skeleton", () => {
  it.each([
    ["case", "Billing-Service"],
    ["full-width letters", "ｂｉｌｌｉｎｇ-service"],
    ["Cyrillic letters", "bіllіng-ѕеrvісе"],
    ["Greek letters", "billing-servιcε"],
    ["an invisible joiner", "bill\u200ding-service"],
    ["a soft hyphen", "bill\u00ading-service"],
    ["an accent", "bíllíng-servicé"],
    ["digits for letters", "bi11ing-service"],
    ["a capital i for l", "biIling-service"],
    ["another separator", "billing_service"],
    ["another dash", "billing‑service"],
    ["mathematical letters", "𝐛𝐢𝐥𝐥𝐢𝐧𝐠-service"],
  ])("sees through %s", (_, name) => {
    expect(skeleton(name)).toBe(skeleton("billing-service"));
  });

  it.each([
    ["another word", "filing-service"],
    ["a suffix", "billing-service-canary"],
    ["a part", "billing"],
  ])("tells %s apart", (_, name) => {
    expect(skeleton(name)).not.toBe(skeleton("billing-service"));
  });

  it("is the same for a skeleton, of any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        expect(skeleton(skeleton(name))).toBe(skeleton(name));
      }),
    );
  });
});

describe("names of a target", () => {
  it("hold every configured service that its object belongs to", () => {
    const services = {
      billing: serviceOf({ workload: { kind: "Deployment", name: "bill-api" }, argocdApplication: "bill-app" }),
      cart: serviceOf({ flags: ["new-cart"] }),
      mail: serviceOf(),
    };
    const workload = targetOf({
      service: "web",
      object: { kind: "Deployment", namespace: "production", name: "bill-api" },
    });
    expect(namesOf(workload, services).map(({ name }) => name)).toEqual([
      "web",
      "bill-api",
      "production/bill-api",
      "billing",
      "bill-api",
      "bill-app",
    ]);
    expect(namesOf(flagOf({ service: "web" }), services)).toContainEqual({ name: "cart", what: "flag owner" });
  });

  it("are found in a list exactly before they are found by likeness", () => {
    const names = namesOf(targetOf({ name: "biIling" }), {});
    expect(listedName(names, ["billing", "biIling"])).toMatchObject({ entry: "biIling", exact: true });
    expect(listedName(names, ["billing"])).toMatchObject({ entry: "billing", exact: false });
    expect(listedName(names, ["mail"])).toBeUndefined();
  });

  it("are plain only in ASCII", () => {
    expect(["checkout", "a.b_c-D9", "ns/name:1@x"].every(isPlainName)).toBe(true);
    expect(["chеckout", "a b", "-a", "a\n", ""].some(isPlainName)).toBe(false);
  });
});
