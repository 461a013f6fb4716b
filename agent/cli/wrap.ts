/** A line is broken no narrower than this, whatever the terminal claims. */
const NARROWEST = 40;

/**
 * Breaks a line at spaces so that it fits `columns`; what follows is set in `hang` spaces deeper than the line's own
 * indent. A word that is longer than a line (a path, a hash) stays whole, so that it can be copied; so does "> 99 %".
 */
export function wrap(line: string, columns: number, hang = 2): readonly string[] {
  const width = Math.max(NARROWEST, columns);
  if (line.length <= width) return [line];
  const indent = " ".repeat((/^ */.exec(line)?.[0].length ?? 0) + hang);
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(/(?<=[^\s<>]) (?!%)/)) {
    const next = current === "" ? word : `${current} ${word}`;
    if (next.length <= width || current.trim() === "") current = next;
    else {
      lines.push(current);
      current = `${indent}${word}`;
    }
  }
  return [...lines, current];
}
