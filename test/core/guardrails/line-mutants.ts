import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Rule } from "../../../core/guardrails/rule.ts";
import { RULES } from "../../../core/guardrails/rules.ts";

const FOLDER = join(import.meta.dirname, "../../../core/guardrails/rules");

/** One place in a rule's source changed in one small way. */
export interface LineMutant {
  readonly file: string;
  readonly line: number;
  /** "a < b → a <= b", cut to what can be read. */
  readonly change: string;
  break(): Promise<() => void>;
}

/** What is put in place of what; each place is changed alone. Spaces around operators keep types and arrows out of it. */
const SWAPS: readonly (readonly [RegExp, string])[] = [
  [/ < /g, " <= "],
  [/ <= /g, " < "],
  [/ > /g, " >= "],
  [/ >= /g, " > "],
  [/ === /g, " !== "],
  [/ !== /g, " === "],
  [/ && /g, " || "],
  [/ \|\| /g, " && "],
  [/\.some\(/g, ".every("],
  [/\.every\(/g, ".some("],
  [/\bMath\.max\(/g, "Math.min("],
  [/\bMath\.min\(/g, "Math.max("],
  [/\?\? true\b/g, "?? false"],
  [/\bstore\.skewMs\b/g, "0"],
  [/ \+ (?=\w)/g, " - "],
];

/** Lines that only say something to people: what changes there changes no verdict. */
const WORDS = /^\s*(\/\*|\*|\/\/)|^import |`/;

/** Every small change of every rule's source that is not within a sentence. */
export function lineMutants(): readonly LineMutant[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) => {
      const lines = readFileSync(join(FOLDER, file), "utf8").split("\n");
      return lines.flatMap((line, at) =>
        WORDS.test(line)
          ? []
          : SWAPS.flatMap(([from, to]) =>
              [...line.matchAll(from)].map((match): LineMutant => {
                const changed = line.slice(0, match.index) + to + line.slice(match.index + match[0].length);
                const source = lines.with(at, changed).join("\n");
                return {
                  file,
                  line: at + 1,
                  change: `${line.trim()} → ${changed.trim()}`,
                  break: () => replaced(file, source),
                };
              }),
            ),
      );
    });
}

/** Loads the changed source as a module of its own, and puts its check in the place of the rule's. */
async function replaced(file: string, source: string): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "unship-mutant-"));
  try {
    const path = join(folder, file);
    writeFileSync(
      path,
      source.replaceAll(/from "(\.[^"]+)"/g, (_, from: string) => `from "${pathToFileURL(join(FOLDER, from)).href}"`),
    );
    const module = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
    const made = Object.values(module).find(
      (one): one is Rule => typeof one === "object" && one !== null && "check" in one && "name" in one,
    );
    const rule = RULES.find(({ name }) => name === made?.name);
    if (made === undefined || rule === undefined) throw new Error(`${file} exports no rule that is run`);
    const check = rule.check;
    rule.check = (input) => made.check(input);
    return () => {
      rule.check = check;
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
