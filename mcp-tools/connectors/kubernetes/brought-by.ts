import type { WorkloadRef } from "../../../core/model/change.ts";
import type { PodTemplate } from "./objects.ts";
import { configsOf, templateMarks } from "./template.ts";

/**
 * The ConfigMaps and Secrets that brought a new template, as far as the template itself tells: objects under generated
 * names, which the one before it did not read (Kustomize), and contents by their new checksum (Helm charts), which several
 * workloads share. Nothing but names and checksums is read, so that it takes no right to read the objects.
 *
 * @see https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/configmapgenerator/
 * @see https://helm.sh/docs/howto/charts_tips_and_tricks/#automatically-roll-deployments
 */
export function broughtBy(
  template: PodTemplate,
  previous: PodTemplate | null,
  namespace: string,
): readonly WorkloadRef[] {
  if (previous === null) return [];
  const before = new Set(configsOf(previous));
  const read = configsOf(template).flatMap((text) => {
    const [kind = "", name = ""] = text.split(" ");
    return before.has(text) ? [] : [{ kind, namespace, name }];
  });
  const old = templateMarks(previous).annotations;
  const sums = Object.entries(templateMarks(template).annotations).flatMap(([key, value]) =>
    CHECKSUM.test(key) && old[key] !== undefined && old[key] !== value
      ? [{ kind: "Checksum", namespace, name: `${key}=${value.slice(0, SHOWN_DIGITS)}` }]
      : [],
  );
  return [...read, ...sums];
}

const CHECKSUM = /^checksum\//;
/** Of a SHA-256: as many digits as tell any two contents of one namespace apart. */
const SHOWN_DIGITS = 12;
