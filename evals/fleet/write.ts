import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { rfc3339 } from "../../core/model/time.ts";
import { writeBundle } from "../record/write-bundle.ts";
import type { TruthFile } from "../replay/bundle-schema.ts";
import { type Composition, composed, placed } from "./composition.ts";
import type { Recorded } from "./recorded.ts";

/**
 * Writes a composition as a bundle folder. Its `truth.json` says what is to be found in all of its members, each by its own
 * incident where there are several; `members.json` holds the truth of each by its tag. Throws "input.invalid" where
 * something is there already.
 */
export function writeComposition(
  composition: Composition,
  read: (directory: string) => Recorded,
  directory: string,
): void {
  writeBundle(composed(composition, read), directory);
  const truths = composition.members.flatMap((member) => {
    const { truth } = placed(read(member.directory), member);
    return truth === null || member.only === "changes" ? [] : [{ tag: member.tag, truth }];
  });
  const put = (name: string, value: object) =>
    writeFileSync(join(directory, name), `${JSON.stringify(value, null, 1)}\n`, { flush: true });
  const whole = wholeTruth(truths.map(({ truth }) => truth));
  if (whole !== null) put("truth.json", onDisk(whole));
  put("members.json", Object.fromEntries(truths.map(({ tag, truth }) => [tag, onDisk(truth)])));
}

/** The truth of several worlds that nothing joins; null where none of them has one. */
function wholeTruth(truths: readonly TruthFile[]): TruthFile | null {
  const faulty = truths.filter((truth) => truth.faulty);
  const [first] = faulty.length === 0 ? truths : faulty;
  if (first === undefined || faulty.length <= 1) return first ?? null;
  const incidents = faulty.flatMap(partsOf).toSorted((a, b) => a.onset - b.onset);
  return {
    faulty: true,
    action: first.action,
    acceptable: [...new Set(faulty.flatMap(({ acceptable }) => acceptable))],
    culprit: incidents[0]?.culprit ?? first.culprit,
    targets: faulty.flatMap(({ targets }) => targets),
    onset: incidents[0]?.onset ?? first.onset,
    incidents,
    culprits: [...new Set(faulty.flatMap(({ culprits = [] }) => culprits))],
  };
}

function partsOf({ incidents, culprit, targets, onset }: TruthFile): NonNullable<TruthFile["incidents"]> {
  if (incidents !== undefined) return incidents;
  return culprit === null || onset === null ? [] : [{ culprit, targets, onset }];
}

function onDisk(truth: TruthFile): object {
  const incidents = truth.incidents?.map((part) => ({ ...part, onset: rfc3339(part.onset) }));
  return { ...truth, onset: rfc3339(truth.onset), ...(incidents === undefined ? {} : { incidents }) };
}
