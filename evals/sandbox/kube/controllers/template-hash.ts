import { type Json, type JsonObject, objectAt, sameJson, sortKeys, withoutEmpties } from "../json.ts";
import type { PodTemplate } from "../objects.ts";
import { NAME_ALPHABET } from "../registry.ts";

export const POD_TEMPLATE_HASH = "pod-template-hash";

/**
 * Names a template: FNV-1a (32 bits) over its canonical JSON, in the alphabet of generated names. The real controllers
 * hash Go's dump of their own types, so the letters differ from a real cluster's; that equal templates get equal
 * names, and others different ones, does not.
 *
 * @param collisions how often this name was already taken by another template
 */
export function hashOf(value: Json, collisions = 0): string {
  const text = JSON.stringify(sortKeys(withoutEmpties(value) ?? {})) + (collisions === 0 ? "" : String(collisions));
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return [...String(hash)].map((digit) => NAME_ALPHABET[digit.charCodeAt(0) % NAME_ALPHABET.length]).join("");
}

/** Whether two templates ask for the same pods: the label of the hash, nulls and empty values do not count. */
export function sameTemplate(a: PodTemplate, b: PodTemplate): boolean {
  return sameJson(withoutEmpties(withoutHash(a)), withoutEmpties(withoutHash(b)));
}

/** The template without the label that a Deployment adds to its ReplicaSets'. */
export function withoutHash(template: JsonObject): JsonObject {
  const metadata = objectAt(template.metadata);
  const { [POD_TEMPLATE_HASH]: _, ...labels } = objectAt(metadata.labels);
  return { ...template, metadata: { ...metadata, labels } };
}
