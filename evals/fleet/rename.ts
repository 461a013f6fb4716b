import type { Change } from "../../core/model/change.ts";
import type { Topology } from "../../core/model/evidence.ts";
import type { TruthFile } from "../replay/bundle-schema.ts";
import { namesOf, type Recorded } from "./recorded.ts";

/**
 * The same world under names of its own: services, externals, flags, and the ids of changes, commits, traces, users and
 * alerts all carry `tag` (letters), wherever they are named: in log lines, span names, messages and labels too. Two
 * recordings under different tags share nothing but the words that any software writes, the people who change it, and the
 * namespaces. Pure.
 */
export function renamedApart({ bundle, truth }: Recorded, tag: string): Recorded {
  const names = new Map(namesOf(bundle).map((name) => [name, `${tag}-${name}`]));
  const name = (service: string) => names.get(service) ?? service;
  const id = (text: string) => `${tag}.${text}`;
  const text = spokenNames(names);
  const record = (values: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(values).map(([key, value]) => [key, text(value)]));
  const { incident, series, changes, topology, logs, spans, alerts, infrastructure, commits } = bundle;
  return {
    bundle: {
      ...bundle,
      incident: {
        ...incident,
        id: id(incident.id),
        services: incident.services.map((service) => ({ ...service, name: name(service.name) })),
      },
      series: series.map((one) => ({ ...one, service: name(one.service), labels: record(one.labels) })),
      changes: changes.map((change) => renamedChange(change, { tag, name, id, text })),
      ...(infrastructure === undefined
        ? {}
        : { infrastructure: infrastructure.map((one) => ({ ...one, id: id(one.id), place: name(one.place) })) }),
      ...(commits === undefined
        ? {}
        : {
            commits: new Map(
              [...commits].map(([of, all]) => [
                id(of),
                all.map((one) => ({ ...one, sha: otherCommit(one.sha, tag), message: text(one.message) })),
              ]),
            ),
          }),
      topology: topology === null ? null : renamedTopology(topology, name),
      logs: logs.map((line) => ({
        ...line,
        service: name(line.service),
        message: text(line.message),
        ...(line.traceId === undefined ? {} : { traceId: id(line.traceId) }),
      })),
      spans: spans.map((span) => ({
        ...span,
        traceId: id(span.traceId),
        spanId: id(span.spanId),
        ...(span.parentId === undefined ? {} : { parentId: id(span.parentId) }),
        service: name(span.service),
        name: text(span.name),
        ...(span.callee === undefined ? {} : { callee: name(span.callee) }),
        ...(span.user === undefined ? {} : { user: id(span.user) }),
      })),
      alerts: alerts.map((alert) => ({
        ...alert,
        fingerprint: id(alert.fingerprint),
        labels: record(alert.labels),
        annotations: record(alert.annotations),
      })),
    },
    truth: truth === null ? null : renamedTruth(truth, id),
  };
}

function renamedTopology(
  { edges, external, details, reporting }: Topology,
  name: (service: string) => string,
): Topology {
  return {
    edges: edges.map(([caller, callee]) => [name(caller), name(callee)] as const),
    external: external.map(name),
    ...(details === undefined
      ? {}
      : { details: details.map((edge) => ({ ...edge, caller: name(edge.caller), callee: name(edge.callee) })) }),
    ...(reporting === undefined ? {} : { reporting: reporting.map(name) }),
  };
}

interface Renaming {
  readonly tag: string;
  readonly name: (service: string) => string;
  readonly id: (text: string) => string;
  readonly text: (text: string) => string;
}

function renamedChange(change: Change, { tag, name, id, text }: Renaming): Change {
  const { commit, message, flag, requires, workload, releasedBy } = change;
  return {
    ...change,
    id: id(change.id),
    service: name(change.service),
    ...(commit === undefined ? {} : { commit: otherCommit(commit, tag) }),
    ...(message === undefined ? {} : { message: text(message) }),
    ...(flag === undefined ? {} : { flag: `${tag}-${flag}` }),
    ...(workload === undefined ? {} : { workload: { ...workload, name: `${tag}-${workload.name}` } }),
    ...(releasedBy === undefined ? {} : { releasedBy: releasedBy.map((by) => ({ ...by, name: `${tag}-${by.name}` })) }),
    ...(requires === undefined
      ? {}
      : { requires: Object.fromEntries(Object.entries(requires).map(([service, to]) => [name(service), to])) }),
  };
}

/** What is scored, and the family: what else a truth says is prose about the world under its old names. */
function renamedTruth(
  { faulty, action, acceptable, culprit, targets, onset, incidents, culprits, family }: TruthFile,
  id: (text: string) => string,
): TruthFile {
  return {
    faulty,
    action,
    acceptable,
    culprit: culprit === null ? null : id(culprit),
    targets: targets.map(id),
    onset,
    ...(incidents === undefined
      ? {}
      : {
          incidents: incidents.map((part) => ({
            culprit: id(part.culprit),
            targets: part.targets.map(id),
            onset: part.onset,
          })),
        }),
    ...(culprits === undefined ? {} : { culprits: culprits.map(id) }),
    ...(family === undefined ? {} : { family }),
  };
}

/** Names as whole words of a text; a hyphen is part of a word, so that "orders" is not found in "orders-db". */
function spokenNames(names: ReadonlyMap<string, string>): (text: string) => string {
  if (names.size === 0) return (text) => text;
  const longestFirst = [...names.keys()].sort((a, b) => b.length - a.length).map(literally);
  const spoken = new RegExp(`(?<![\\p{L}\\p{N}_-])(?:${longestFirst.join("|")})(?![\\p{L}\\p{N}_-])`, "gu");
  return (text) => text.replaceAll(spoken, (word) => names.get(word) ?? word);
}

const literally = (name: string): string => name.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** A commit of the same length that two tags never share: each hex digit moved on by what the tag's letters sum to. */
function otherCommit(commit: string, tag: string): string {
  const by = [...tag].reduce((sum, letter) => sum * 7 + (letter.codePointAt(0) ?? 0), 0) % 16;
  return commit.replaceAll(/[0-9a-f]/g, (digit) => ((Number.parseInt(digit, 16) + by) % 16).toString(16));
}
