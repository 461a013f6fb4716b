import { z } from "zod";
import { UnshipError } from "../../../core/errors.ts";
import type { TargetState } from "../../../core/ports.ts";
import { lessOf } from "../pod-capacity.ts";
import { type Application, type HistoryEntry, versionOf } from "./application.ts";
import type { ArgocdClient } from "./client.ts";

/** Rendering an old revision takes a checkout and a template engine; the gate waits ten seconds for all of an answer. */
const RENDER_MS = 6000;
const WORKLOADS = new Set(["Deployment", "StatefulSet", "DaemonSet", "Rollout"]);

const Workload = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
  spec: z.looseObject({ replicas: z.number().nullish(), template: z.unknown() }),
  status: z.looseObject({ desiredNumberScheduled: z.number().nullish() }).nullish(),
});
type Workload = z.infer<typeof Workload>;

/**
 * The pods that an application has now, and what its workloads would have less of at an old entry of its history, each by
 * its name. Argo CD renders the old revision with the parameters that the application has now, so that one which was
 * synced with others is unknown; so are several sources, and what is not rendered in time. Undefined: unknown.
 */
export async function capacityOf(
  client: ArgocdClient,
  application: Application,
  entry: HistoryEntry,
  abort: AbortSignal,
): Promise<TargetState["capacity"]> {
  const { metadata, spec, status } = application;
  const rendered = versionOf({ ...entry, source: spec.source, sources: spec.sources });
  if (spec.sources.length > 0 || !entry.revision || rendered !== versionOf(entry)) return undefined;
  const soon = AbortSignal.any([abort, AbortSignal.timeout(RENDER_MS)]);
  const texts = await Promise.all([
    client.liveObjects(metadata.name, metadata.namespace, soon),
    client.manifests(metadata.name, metadata.namespace, entry.revision, soon),
  ]).catch(unknown);
  if (texts === null) return undefined;
  const [live, then] = texts.map(workloadsOf);
  if (live === undefined || then === undefined) return undefined;
  const wanted = status.resources.filter(({ kind }) => WORKLOADS.has(kind));
  if (!wanted.every((one) => live.some((found) => isSame(found, one.kind, one.name)))) return undefined;
  let replicas = 0;
  const less: string[] = [];
  for (const { kind, metadata, spec, status } of live) {
    replicas += (kind === "DaemonSet" ? status?.desiredNumberScheduled : spec.replicas) ?? 1;
    const old = then.find((one) => isSame(one, kind, metadata.name));
    // What the old revision does not have is not pruned, and stays as it is.
    if (old === undefined) continue;
    const found = lessOf({ present: spec.template, restored: old.spec.template });
    if (found === null) return undefined;
    less.push(...found.map((one) => `in ${metadata.name} ${one}`));
  }
  return { replicas, less };
}

const isSame = ({ kind, metadata }: Workload, wanted: string, name: string): boolean =>
  kind === wanted && metadata.name === name;

/** Objects as JSON texts; what is no workload is left out, and one that cannot be read is as if it were not there. */
function workloadsOf(texts: readonly string[]): readonly Workload[] {
  return texts.flatMap((text) => {
    const parsed = Workload.safeParse(json(text));
    return parsed.success && WORKLOADS.has(parsed.data.kind) ? [parsed.data] : [];
  });
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function unknown(error: unknown): null {
  if (error instanceof UnshipError) return null;
  throw error;
}
