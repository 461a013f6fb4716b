import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Change } from "../../../../core/model/change.ts";
import { recordWithoutSecrets } from "../../../../core/model/secrets/deep.ts";
import { redactSecrets } from "../../../../core/model/secrets/redact.ts";

/** Words that name a secret, and by which people call services, flags and ConfigMaps all the same. */
const WORDS =
  "auth login session sessions token tokens webhook oauth jwt otp cookie credentials secrets passwords password api-key passwordless pin signature vault pat sid hmac bearer".split(
    " ",
  );
const name = fc.oneof(
  fc.constantFrom(...WORDS),
  fc
    .tuple(fc.constantFrom("user", "push", "new", "web", "team"), fc.constantFrom(...WORDS))
    .map((both) => both.join("-")),
  fc.tuple(fc.constantFrom(...WORDS), fc.constantFrom("api", "service", "timeout", "v2")).map((both) => both.join("-")),
);
const digits = fc.integer({ min: 1, max: 2_000_000_000 }).map(String);
const hash = fc.stringMatching(/^[0-9a-f]{9,10}$/);
const objectId = fc.stringMatching(/^[0-9a-f]{24}$/);
const scope = fc.constantFrom("production", "shop-eu", "argocd/argocd", "prod.eu-1");

/** Ids as the connectors build them, each for a thing of this name. */
const ids = fc.tuple(name, scope, digits, hash, objectId).chain(([of, where, number, digest, oid]) =>
  fc.constantFrom(
    `deploy:${where}/${of}:${of}-${digest}:${number}`, // Kubernetes
    `deploy:${where}/${of}:17646624${number}`, // Argo CD
    `deploy:${where}/shop:1764662400000:${of}`,
    `config:${where}/${of}:1764662400000:${of}`,
    `flag:${where}/${of}:${oid}`, // LaunchDarkly
    `flag:${where}/${of}:${number}`, // Unleash, Flagsmith
    `migration:${where}/${of}:${number}@1764662400000`,
  ),
);

describe("S10, S1: what names a thing is no secret, whatever people call it", () => {
  it("no id of a change is hidden in any text", () => {
    fc.assert(
      fc.property(ids, fc.constantFrom("", "rolled back ", "culprit «"), (id, before) => {
        expect(redactSecrets(`${before}${id}`)).toBe(`${before}${id}`);
      }),
      { numRuns: 2_000 },
    );
  });

  it("an address and an image of a service stay readable", () => {
    fc.assert(
      fc.property(name, fc.integer({ min: 1, max: 65_535 }), hash, (of, port, digest) => {
        for (const text of [
          `http://${of}:${port}/metrics`,
          `http://${of}.production.svc:${port}`,
          `${of}:v1.2.0`,
          `registry.internal/team/${of}:2.10.3-rc.1`,
          `${of}:sha-${digest}`,
          `Deployment production/${of}: restored revision 2 (1.1.0)`,
        ])
          expect(redactSecrets(text)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  it("what was hidden once stays as it is, whatever is put around it: a fence, a quotation, a bracket", () => {
    const around = fc.constantFrom(
      ["«", "»"],
      ['"', '"'],
      ["(", ")"],
      ["[", "]"],
      ["`", "`"],
      ["", "."],
      ["", ", then"],
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...WORDS),
        fc.constantFrom("=", ": ", " = "),
        around,
        (of, between, [open, close]) => {
          const once = redactSecrets(`call ${of}${between}Zk81xv71QmPlw`);
          expect(redactSecrets(`${open}${once}${close}`)).toBe(`${open}${once}${close}`);
        },
      ),
    );
  });

  it("two changes never become one, and what people wrote about them is scrubbed all the same", () => {
    const change = (id: string, service: string): Change => ({
      id,
      kind: "deploy",
      service,
      from: "1.0.0",
      to: "1.1.0",
      startedAt: 0,
      finishedAt: null,
      source: "kubernetes",
      reversible: true,
      message: "deploy with password=Zk81xv71QmPlw",
      workload: { kind: "Deployment", namespace: "production", name: service },
    });
    // Whatever an id looks like: other sources build theirs otherwise.
    const any = fc.oneof(ids, fc.string({ minLength: 1, maxLength: 40 }), objectId);
    fc.assert(
      fc.property(fc.uniqueArray(any, { minLength: 2, maxLength: 6 }), name, (all, service) => {
        const scrubbed = recordWithoutSecrets(all.map((id) => change(id, service)));
        expect(scrubbed.map(({ id }) => id)).toEqual(all);
        expect(scrubbed.map((one) => [one.service, one.workload?.name])).toEqual(all.map(() => [service, service]));
        expect(JSON.stringify(scrubbed)).not.toContain("Zk81xv71QmPlw");
      }),
    );
  });
});
