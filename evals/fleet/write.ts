import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { rfc3339 } from "../../core/model/time.ts";
import { writeBundle } from "../record/write-bundle.ts";
import type { TruthFile } from "../replay/bundle-schema.ts";
import { type Composition, composed, placed } from "./composition.ts";
import type { Recorded } from "./recorded.ts";

/**
 * Writes a composition as a bundle folder. Where one member alone has something to find, its truth is the folder's
 * `truth.json`; `members.json` holds the truth of each by its tag, which the format of one incident cannot say. Throws
 * "input.invalid" where something is there already.
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
  const faulty = truths.filter(({ truth }) => truth.faulty);
  const put = (name: string, value: object) =>
    writeFileSync(join(directory, name), `${JSON.stringify(value, null, 1)}\n`, { flush: true });
  const [only] = faulty.length === 0 ? truths : faulty;
  if (only !== undefined && faulty.length <= 1) put("truth.json", onDisk(only.truth));
  put("members.json", Object.fromEntries(truths.map(({ tag, truth }) => [tag, onDisk(truth)])));
}

const onDisk = (truth: TruthFile): object => ({ ...truth, onset: rfc3339(truth.onset) });
