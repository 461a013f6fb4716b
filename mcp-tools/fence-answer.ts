import type { CaseFile } from "../core/model/assessment.ts";
import { type AnswerFence, fenceFor } from "../core/model/sentence-fence.ts";
import { unmarked } from "../core/model/untrusted-text.ts";

/** The fence for answers about this evidence: its names are known. */
export const answerFence = (file: CaseFile): AnswerFence => fenceFor(namesOf(file), (text) => unmarked(text));

/** Every name that the core may repeat, as the evidence spells it. */
function namesOf(file: CaseFile): readonly string[] {
  const { series, findings, changes, topology, logs, spans, flags, rollouts, infrastructure = [] } = file;
  return [
    ...series.flatMap(({ service, labels }) => [service, ...Object.values(labels)]),
    ...findings.map(({ service }) => service),
    ...changes.flatMap(({ id, service, from, to, flag, environment, author, commit, diff, requires }) => [
      ...[id, service, from, to, flag, environment, author, commit].filter((one) => one !== undefined),
      ...(diff?.paths ?? []),
      ...Object.entries(requires ?? {}).flat(),
    ]),
    ...infrastructure.flatMap(({ id, place, from, to, author, message }) =>
      [id, place, from, to, author, message].filter((one) => one !== undefined),
    ),
    ...(topology === null ? [] : [...topology.edges.flat(), ...topology.external]),
    ...logs.flatMap(({ service, version }) => (version === undefined ? [service] : [service, version])),
    // A span's own name is in no answer: the routes that the core names come from labels and from the file.
    ...spans.flatMap(({ service, callee }) => (callee === undefined ? [service] : [service, callee])),
    ...flags.flatMap(({ key, environment }) => [key, environment]),
    ...rollouts.flatMap(({ service, version, revisions, workload }) => [
      ...[service, version, workload.namespace, workload.name],
      ...revisions.map((one) => one.version),
    ]),
  ];
}
