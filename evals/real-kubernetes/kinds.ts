import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parse } from "yaml";
import type { KubeApi } from "./api.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const POLL_MS = 50;
const PATIENCE_MS = 60_000;

/**
 * Makes every CustomResourceDefinition of a folder, one YAML file each, and returns once all of them are established and
 * served: a program that starts earlier ends, or never hears of the kind that was late. Throws where one is not after a minute.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 */
export async function makeKinds(admin: KubeApi, folder: string): Promise<void> {
  const kinds = readdirSync(folder).map((file) => parse(readFileSync(join(folder, file), "utf8")));
  for (const body of kinds) await admin.must("POST", CRDS, { body });
  const until = Date.now() + PATIENCE_MS;
  for (const { metadata, spec } of kinds) {
    const lists = spec.versions.flatMap(({ name, served }: { name: string; served: boolean }) =>
      served ? [`/apis/${spec.group}/${name}/${spec.names.plural}`] : [],
    );
    while (!(await isServed(admin, metadata.name, lists))) {
      if (Date.now() > until) throw new Error(`the API server does not serve ${metadata.name} after a minute`);
      await pause(POLL_MS);
    }
  }
}

async function isServed(admin: KubeApi, name: string, lists: readonly string[]): Promise<boolean> {
  const { body } = await admin.call("GET", `${CRDS}/${name}`);
  const conditions: readonly { type: string; status: string }[] = body?.status?.conditions ?? [];
  if (!conditions.some(({ type, status }) => type === "Established" && status === "True")) return false;
  const answers = await Promise.all(lists.map((path) => admin.call("GET", path)));
  return answers.every(({ status }) => status === 200);
}
