import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { PodTemplate } from "./objects.ts";

const Reference = z.looseObject({ name: z.string().optional() }).nullish();
const Container = z.looseObject({
  name: z.string().default(""),
  image: z.string().default(""),
  env: z
    .array(
      z.looseObject({
        valueFrom: z.looseObject({ configMapKeyRef: Reference, secretKeyRef: Reference }).nullish(),
      }),
    )
    .nullish(),
  envFrom: z.array(z.looseObject({ configMapRef: Reference, secretRef: Reference })).nullish(),
  volumeMounts: z
    .array(z.looseObject({ name: z.string(), subPath: z.string().nullish(), subPathExpr: z.string().nullish() }))
    .nullish(),
});
const Volume = z.looseObject({
  name: z.string().default(""),
  configMap: Reference,
  secret: z.looseObject({ secretName: z.string().optional() }).nullish(),
  projected: z
    .looseObject({ sources: z.array(z.looseObject({ configMap: Reference, secret: Reference })).nullish() })
    .nullish(),
});
const Readable = z.looseObject({
  metadata: z
    .looseObject({
      labels: z.record(z.string(), z.string()).nullish(),
      annotations: z.record(z.string(), z.string()).nullish(),
    })
    .nullish(),
  spec: z
    .looseObject({
      containers: z.array(Container).nullish(),
      initContainers: z.array(Container).nullish(),
      volumes: z.array(Volume).nullish(),
    })
    .nullish(),
});
type Readable = z.infer<typeof Readable>;

/** The labels that a Deployment's and a Rollout's controller add to each ReplicaSet's template, to tell them apart. */
const HASH_LABELS: readonly string[] = ["pod-template-hash", "rollouts-pod-template-hash"];
/** @see https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/ */
const VERSION_LABEL = "app.kubernetes.io/version";

/**
 * Which version a template runs, in the words of the people who deploy it: the image's tag, or where it has none (or
 * "latest"), the label app.kubernetes.io/version, or the first 12 digits of the image's digest. With several
 * containers: the first one's, then each other's with its name, "1.4.0,proxy:2.1".
 */
export function versionOf(template: PodTemplate): string {
  const { metadata, spec } = readable(template);
  const [main, ...others] = spec?.containers ?? [];
  if (main === undefined) return metadata?.labels?.[VERSION_LABEL] ?? "";
  const tag = imageTag(main.image);
  const first = tag === null || tag === "latest" ? (metadata?.labels?.[VERSION_LABEL] ?? digestOf(main.image)) : tag;
  return [first, ...others.map(({ name, image }) => `${name}:${imageTag(image) ?? digestOf(image)}`)].join(",");
}

/** "registry:5000/shop/cart:1.4.0@sha256:…" → "1.4.0"; null where the image names no tag. */
export function imageTag(image: string): string | null {
  const [reference = ""] = image.split("@");
  const colon = reference.lastIndexOf(":");
  return colon > reference.lastIndexOf("/") ? reference.slice(colon + 1) : null;
}

function digestOf(image: string): string {
  const digest = /@sha256:([0-9a-f]{12})/.exec(image)?.[1];
  return digest ?? (imageTag(image) === null ? `${image.split("/").at(-1)}:latest` : "latest");
}

/** Labels and annotations of the pods that a template makes. */
export function templateMarks(template: PodTemplate) {
  const { metadata } = readable(template);
  return { labels: metadata?.labels ?? {}, annotations: metadata?.annotations ?? {} };
}

/** Names of the ConfigMaps and Secrets that a template's pods read: "ConfigMap app-config", "Secret db". */
export function configsOf(template: PodTemplate): readonly string[] {
  const { spec } = readable(template);
  const names = new Set<string>();
  const add = (kind: string, name: string | undefined) => {
    if (name !== undefined) names.add(`${kind} ${name}`);
  };
  for (const { env, envFrom } of [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]) {
    for (const { valueFrom } of env ?? []) {
      add("ConfigMap", valueFrom?.configMapKeyRef?.name);
      add("Secret", valueFrom?.secretKeyRef?.name);
    }
    for (const { configMapRef, secretRef } of envFrom ?? []) {
      add("ConfigMap", configMapRef?.name);
      add("Secret", secretRef?.name);
    }
  }
  for (const name of (spec?.volumes ?? []).flatMap(configsIn)) names.add(name);
  return [...names].sort();
}

/**
 * Names of those that running pods read anew when they are changed: mounted as a whole. A variable, and a single file of one
 * (`subPath`), stay as they were when the pod started.
 *
 * @see https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically
 */
export function mountedConfigsOf(template: PodTemplate): readonly string[] {
  const { spec } = readable(template);
  const whole = new Set(
    (spec?.containers ?? [])
      .flatMap(({ volumeMounts }) => volumeMounts ?? [])
      .filter(({ subPath, subPathExpr }) => !subPath && !subPathExpr)
      .map(({ name }) => name),
  );
  return [...new Set((spec?.volumes ?? []).filter(({ name }) => whole.has(name)).flatMap(configsIn))].sort();
}

function configsIn({ configMap, secret, projected }: z.infer<typeof Volume>): readonly string[] {
  const named = (kind: string, name: string | undefined) => (name === undefined ? [] : [`${kind} ${name}`]);
  return [
    ...named("ConfigMap", configMap?.name),
    ...named("Secret", secret?.secretName),
    ...(projected?.sources ?? []).flatMap((source) => [
      ...named("ConfigMap", source.configMap?.name),
      ...named("Secret", source.secret?.name),
    ]),
  ];
}

/**
 * Whether two templates make the same pods, as kubectl judges it: key order, nulls, empty lists and the label
 * pod-template-hash do not count. Defaults do not differ: both sides come from one API server, which filled them in.
 */
export function sameTemplate(one: PodTemplate, other: PodTemplate): boolean {
  return isDeepStrictEqual(comparable(withoutHash(one)), comparable(withoutHash(other)));
}

/** SHA-256 (hex), equal for templates that `sameTemplate` calls the same. */
export function fingerprint(template: PodTemplate): string {
  return createHash("sha256")
    .update(JSON.stringify(comparable(withoutHash(template))))
    .digest("hex");
}

/** The template as it stands in its owner: a ReplicaSet's copy carries one label more. All else is kept. */
export function withoutHash(template: PodTemplate): PodTemplate {
  const { metadata } = template;
  if (!isRecord(metadata) || !isRecord(metadata.labels)) return template;
  const labels = Object.entries(metadata.labels).filter(([key]) => !HASH_LABELS.includes(key));
  if (labels.length === Object.keys(metadata.labels).length) return template;
  return { ...template, metadata: { ...metadata, labels: Object.fromEntries(labels) } };
}

/** Keys that say nothing about pods: the API server writes the first as null, a ControllerRevision adds the second. */
const SILENT = new Set(["creationTimestamp", "$patch"]);

function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (!isRecord(value)) return value;
  const entries = Object.entries(value)
    .filter(([key, one]) => !SILENT.has(key) && one !== null && !(Array.isArray(one) && one.length === 0))
    .map(([key, one]) => [key, comparable(one)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readable(template: PodTemplate): Readable {
  const parsed = Readable.safeParse(template);
  return parsed.success ? parsed.data : {};
}
