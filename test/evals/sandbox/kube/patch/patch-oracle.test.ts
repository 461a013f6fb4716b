import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ApiError } from "../../../../../evals/sandbox/kube/api-error.ts";
import { type Json, withoutEmpties } from "../../../../../evals/sandbox/kube/json.ts";
import type { KubeObject } from "../../../../../evals/sandbox/kube/objects.ts";
import { applyPatch } from "../../../../../evals/sandbox/kube/patch/apply-patch.ts";
import { hasKubectl, KUBECTL } from "../../../../real/kubectl.ts";
import { base, JSON_PATCHES, MERGE, OTHERS, STRATEGIC, web } from "./patch-cases.ts";

/**
 * kubectl's `patch --local` runs Kubernetes' own merge code without a server: what it prints is right by definition.
 * It decodes into its types and back, so fields that are empty are not compared.
 */
const MEDIA = {
  json: "application/json-patch+json",
  merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json",
} as const;
type PatchType = keyof typeof MEDIA;

const REFUSED = "refused";
const folder = mkdtempSync(join(tmpdir(), "patch-oracle-"));

function oracle(target: object, type: PatchType, patch: Json): unknown {
  const file = join(folder, "object.json");
  writeFileSync(file, JSON.stringify(target));
  const args = ["patch", "--local", "-f", file, `--type=${type}`, "-p", JSON.stringify(patch), "-o", "json"];
  const { status, stdout } = spawnSync(KUBECTL?.path ?? "kubectl", args, { encoding: "utf8" });
  return status === 0 ? withoutEmpties(JSON.parse(stdout)) : REFUSED;
}

function ours(target: object, type: PatchType, patch: Json): unknown {
  try {
    return withoutEmpties(applyPatch(MEDIA[type], target as KubeObject, patch));
  } catch (error) {
    if (error instanceof ApiError) return REFUSED;
    throw error;
  }
}

describe.runIf(hasKubectl())("patches agree with kubectl patch --local", () => {
  it.each(STRATEGIC)("strategic merge: %s", (_, patch) => {
    expect(ours(base, "strategic", patch)).toEqual(oracle(base, "strategic", patch));
  });
  it.each(OTHERS)("strategic merge of %s", (_, target, patch) => {
    expect(ours(target, "strategic", patch)).toEqual(oracle(target, "strategic", patch));
  });
  it.each(MERGE)("merge: %s", (_, patch) => {
    expect(ours(base, "merge", patch)).toEqual(oracle(base, "merge", patch));
  });
  it.each(JSON_PATCHES)("JSON patch: %s", (_, patch) => {
    expect(ours(base, "json", patch)).toEqual(oracle(base, "json", patch));
  });

  const NAMES = ["A", "B", "C", "D"] as const;
  const named = fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 4 });
  const variables = (names: readonly string[], value: string) => names.map((name) => ({ name, value }));
  const directed = fc.record({
    changed: named,
    deleted: fc.uniqueArray(fc.constantFrom(...NAMES), { maxLength: 2 }),
    replaced: fc.boolean(),
    // An empty order is none: no client sends one, and Go then orders by chance of its sort.
    order: fc.option(fc.shuffledSubarray([...NAMES], { minLength: 1 })),
  });

  it("for any lists of named items, changes, deletions and orders", () => {
    fc.assert(
      fc.property(named, directed, (before, { changed, deleted, replaced, order }) => {
        const items: Json[] = [
          ...variables(
            changed.filter((name) => !deleted.includes(name)),
            "new",
          ),
          ...deleted.map((name) => ({ name, $patch: "delete" })),
          ...(replaced ? [{ $patch: "replace" }] : []),
        ];
        const patch = web({
          env: items,
          // A list that is replaced has its order already: no client sends both.
          ...(order === null || replaced ? {} : { "$setElementOrder/env": order.map((name) => ({ name })) }),
        });
        const container = { name: "web", image: "web:1", env: variables(before, "old") };
        const target = {
          ...base,
          spec: { ...base.spec, template: { ...base.spec.template, spec: { containers: [container] } } },
        };
        expect(ours(target, "strategic", patch)).toEqual(oracle(target, "strategic", patch));
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  it("for any lists of plain values, additions, deletions and orders", () => {
    const values = fc.uniqueArray(fc.constantFrom("x.io/a", "x.io/b", "x.io/c", "x.io/d"), { maxLength: 4 });
    const order = values.filter(({ length }) => length > 0);
    fc.assert(
      fc.property(values, values, values, fc.option(order), (before, added, taken, order) => {
        // Go takes the keys of a patch in any order, so that a value both added and deleted may end either way.
        const deleted = taken.filter((value) => !added.includes(value));
        const patch: Json = {
          metadata: {
            finalizers: added,
            ...(deleted.length === 0 ? {} : { "$deleteFromPrimitiveList/finalizers": deleted }),
            ...(order === null ? {} : { "$setElementOrder/finalizers": order }),
          },
        };
        const target = { ...base, metadata: { ...base.metadata, finalizers: before } };
        expect(ours(target, "strategic", patch)).toEqual(oracle(target, "strategic", patch));
      }),
      { numRuns: 40, seed: 7 },
    );
  });

  it("for any merge patch of labels and annotations", () => {
    const value = fc.option(fc.constantFrom("x", "y"));
    const map = fc.dictionary(fc.constantFrom("app", "tier", "zone", "note"), value);
    fc.assert(
      fc.property(map, fc.option(map), (labels, annotations) => {
        const patch = { metadata: { labels, annotations } };
        expect(ours(base, "merge", patch)).toEqual(oracle(base, "merge", patch));
        expect(ours(base, "strategic", patch)).toEqual(oracle(base, "strategic", patch));
      }),
      { numRuns: 20, seed: 7 },
    );
  });
});
