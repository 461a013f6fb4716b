import { cpus, totalmem } from "node:os";

/** The commands that a page gives its reader, in order: each line of its `sh` blocks. */
export const commandsOf = (page: string): readonly string[] =>
  [...page.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, text = ""]) => text.trimEnd().split("\n"));

/** A command that was typed, when it was, and what it showed. */
export interface Step {
  /** ms since the walk started. */
  readonly at: number;
  /** As the page has it; null: something else that the reader does. */
  readonly command: string | null;
  /** What was shown, or what the reader did. */
  readonly shown: string;
}

const BEGIN = /^<!-- walk: written by .*-->\n/m;
const END = "<!-- walk: end -->";
/** Lines of what one command shows; the middle of longer ones is left out. */
const MOST_LINES = 16;
const MOST_COLUMNS = 140;

/** The page with the record of this walk between its two marks. */
export function withWalk(page: string, steps: readonly Step[], facts: readonly string[]): string {
  const begin = BEGIN.exec(page);
  const end = page.indexOf(END);
  if (begin === null || end < begin.index) throw new Error("the page has no place for the walk");
  const blocks = steps.map(({ at, command, shown }) =>
    [clock(at), command === null ? ` ${shown}` : ` $ ${command}\n${cut(shown)}`].join(""),
  );
  const text = `\n${facts.join("\n")}\n\n\`\`\`text\n${blocks.join("\n").trimEnd()}\n\`\`\`\n\n`;
  return page.slice(0, begin.index + begin[0].length) + text + page.slice(end);
}

/** What this machine is, in words that allow to compare another with it. */
export function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} cores (${cpu?.model.trim() ?? "unknown"}), ${Math.round(totalmem() / 2 ** 30)} GiB of memory`;
}

/** ms as minutes and seconds: 65000 → "01:05". */
export function clock(ms: number): string {
  const seconds = Math.round(ms / 1000);
  return [Math.floor(seconds / 60), seconds % 60].map((one) => String(one).padStart(2, "0")).join(":");
}

function cut(shown: string): string {
  const lines = shown
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
  const half = MOST_LINES / 2;
  const kept =
    lines.length <= MOST_LINES
      ? lines
      : [...lines.slice(0, half), `[${lines.length - MOST_LINES} lines]`, ...lines.slice(-half)];
  return kept
    .map((line) => `      ${line.length <= MOST_COLUMNS ? line : `${line.slice(0, MOST_COLUMNS - 1)}…`}`)
    .join("\n");
}
