import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Records a run of the demo as an animated SVG: each line appears when it was printed, time compressed. Run it with
 * `node scripts/record-demo.ts`; it writes docs/demo.svg, and nothing where the demo failed. No font or script is loaded by the
 * picture.
 */
const SPEED = 6;
const HOLD_SECONDS = 8;
const COLUMNS = 100;
const LINE = 18;
const CHARACTER = 8.05;
const COLOURS: Readonly<Record<string, string>> = {
  1: "#f0f6fc",
  2: "#8b949e",
  31: "#ff7b72",
  32: "#7ee787",
  33: "#e3b341",
  36: "#79c0ff",
};

interface Printed {
  readonly at: number;
  readonly text: string;
}

const root = join(import.meta.dirname, "..");
const lines = await record();
writeFileSync(join(root, "docs/demo.svg"), draw(lines));

/** Runs the demo on a pseudo-terminal of its own, so that it prints as a person sees it. */
async function record(): Promise<readonly Printed[]> {
  const command = `stty cols ${COLUMNS}; ${process.execPath} agent/main.ts demo`;
  const child = spawn("script", ["-qefc", command, "/dev/null"], { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
  const printed: Printed[] = [];
  const started = performance.now();
  let rest = "";
  for await (const chunk of child.stdout) {
    const parts = (rest + String(chunk)).split(/\r?\n/);
    rest = parts.pop() ?? "";
    for (const text of parts) printed.push({ at: (performance.now() - started) / 1000, text });
  }
  const code = child.exitCode ?? (await once(child, "exit"))[0];
  if (code !== 0)
    throw new Error(
      `the demo failed (exit code ${code}); nothing is written:\n${printed.map(({ text }) => text).join("\n")}`,
    );
  return printed.map(({ at, text }) => ({ at, text: text.replaceAll(/\/tmp\/unship-demo-\w+/g, "/tmp/unship-demo") }));
}

function draw(printed: readonly Printed[]): string {
  const end = (printed.at(-1)?.at ?? 0) / SPEED + HOLD_SECONDS;
  const width = Math.ceil(COLUMNS * CHARACTER) + 32;
  const height = printed.length * LINE + 56;
  const rows = printed.map(({ at, text }, index) => {
    const start = ((at / SPEED / end) * 100).toFixed(2);
    const name = `l${index}`;
    const y = 52 + index * LINE;
    return {
      style: `@keyframes ${name}{0%{opacity:0}${start}%{opacity:0}${(Number(start) + 0.1).toFixed(2)}%{opacity:1}100%{opacity:1}}.${name}{animation:${name} ${end.toFixed(1)}s infinite}`,
      row: `<text class="${name}" x="16" y="${y}" xml:space="preserve">${spans(text)}</text>`,
    };
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="A recording of the unship demo">
<style>text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#c9d1d9}${rows.map(({ style }) => style).join("")}@media (prefers-reduced-motion:reduce){text{animation:none!important;opacity:1}}</style>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
<circle cx="20" cy="18" r="6" fill="#ff5f56"/><circle cx="40" cy="18" r="6" fill="#ffbd2e"/><circle cx="60" cy="18" r="6" fill="#27c93f"/>
<text x="84" y="22" fill="#8b949e">$ npm run demo</text>
${rows.map(({ row }) => row).join("\n")}
</svg>
`;
}

/** ANSI colours of one line → coloured spans; all else is escaped. */
function spans(text: string): string {
  const start = "\u001b";
  return text
    .split(`${start}[`)
    .map((part, index) => {
      const match = index === 0 ? null : /^(\d+)m/.exec(part);
      const shown = escapeXml(index === 0 ? part : part.replace(/^[\d;]*m/, ""));
      const colour = match?.[1] === undefined ? undefined : COLOURS[match[1]];
      return colour === undefined ? shown : `<tspan fill="${colour}">${shown}</tspan>`;
    })
    .join("");
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
