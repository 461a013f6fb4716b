import { cleanText } from "../../core/model/untrusted-text.ts";

/**
 * Text into Markdown (CommonMark 0.31, GFM) so that nothing in it can end its place: no HTML, no link, no table cell,
 * no heading, no fence. For sentences of our own too: they name services and versions that others chose.
 */
export function prose(text: string, maxLength = 600): string {
  const line = cleanText(text.replaceAll(/\s*\n\s*/g, "; "), maxLength)
    .replaceAll(/\s+/g, " ")
    .trim();
  return line
    .replaceAll("\\", "\\\\")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll("`", "'")
    .replaceAll(/[*[\]|~]/g, "\\$&")
    .replaceAll(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, "\\_")
    .replaceAll(/(:)(\/\/)|\b(www)(\.)/gi, "$1$3\u2060$2$4") // no autolink: a link in a draft is one that we put there
    .replace(/^(?=[#+=>-])/, "\\") // a line that could start a heading, a list, a quote or an underline
    .replace(/^(\d{1,9})(?=[.)](?:\s|$))/, "$1\\"); // or a numbered list;
}

/** Prose that ends as a sentence does, so that several can follow each other. */
export function sentence(text: string, maxLength?: number): string {
  const line = prose(text, maxLength);
  return /[.!?]$/.test(line) || line === "" ? line : `${line}.`;
}

/** A name as inline code. A backtick in it becomes an apostrophe, as in prose: no name that we know has one. */
export function code(text: string, maxLength = 120): string {
  const line = cleanText(text, maxLength).replaceAll(/\s+/g, " ").trim().replaceAll("`", "'").replaceAll("|", "¦");
  return line === "" ? "(empty)" : `\`${line}\``;
}

/** A block of text as it is, in a fence longer than any run of backticks inside it (CommonMark §4.5). */
export function block(text: string, info = "text"): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${info}\n${text}\n${fence}`;
}

/** A table; cells must already be Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

export const bullets = (items: readonly string[]) => items.map((item) => `- ${item}`).join("\n");

/** A section with its heading; null where there is nothing to say: an empty heading is noise. */
export function section(heading: string, ...parts: readonly (string | null)[]): string | null {
  const body = parts.filter((part) => part !== null && part !== "");
  return body.length === 0 ? null : [`## ${heading}`, ...body].join("\n\n");
}
