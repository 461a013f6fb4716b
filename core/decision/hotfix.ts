import type { CaseEvidence } from "../correlation/rank.ts";
import type { Change } from "../model/change.ts";
import { nameOfChange } from "../model/change-name.ts";
import type { Hotfix } from "../model/decision.ts";

/**
 * Everything that a person needs to mend it by hand, as far as it is known. `changeIds`: what would have to be taken
 * back together, in the order in which that would be safe; `change` is the one among them that stands in the way.
 */
export function hotfixFor(
  change: Change,
  changeIds: readonly string[],
  whyNoRollback: string,
  evidence: CaseEvidence,
): Hotfix {
  const signatures = evidence.signatures
    .filter(({ service }) => service === change.service)
    .map(({ template }) => template);
  const files = change.diff?.paths ?? [];
  const metrics = [...(evidence.worse.get(change.service) ?? [])].sort();
  const range = change.commit === undefined ? `${change.from}..${change.to}` : `${change.from}..${change.commit}`;
  const watched = metrics.length > 0 ? metrics.join(" and ") : "the signals that are worse";
  return {
    changeId: change.id,
    changeIds: [...changeIds],
    commitRange: range,
    suspects: [...files, ...signatures],
    owner: change.author ?? null,
    whyNoRollback,
    mitigation: mitigationFor(change),
    check: `${watched} of ${change.service} back within baseline for five minutes, with traffic back as well`,
  };
}

function mitigationFor(change: Change): string {
  switch (change.kind) {
    case "migration":
      return `make ${change.service} work with both schemas: write a forward migration that restores what ${change.to} removed, or ship code that no longer needs it`;
    case "flag":
      return `set ${change.flag ?? nameOfChange(change)} so that the old code path serves, and fix ${change.service} forward`;
    case "config":
      return `set the configuration of ${change.service} to what ${change.from} held, by hand, and restart it in steps`;
    case "deploy":
      return `fix ${change.service} forward from ${change.to}, and send traffic elsewhere where that can be done`;
  }
}
