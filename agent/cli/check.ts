import { coverageWords } from "../../core/correlation/graph-coverage.ts";
import { type CheckLine, type Composition, EXIT, type ExitCode } from "./composition.ts";
import { type JsonOption, present } from "./output.ts";

/**
 * `unship check`: validates the file (every problem at once, exit code 2), says in plain words what it will make
 * unship do, and unless `--offline` asks each source for one thing. Exit code 1 where the agent holds what can write
 * though a gate of its own acts, else 3 if a source does not answer.
 */
export async function check(
  to: Composition,
  options: { readonly config?: string; readonly json?: JsonOption; readonly offline?: boolean },
  abort: AbortSignal,
): Promise<ExitCode> {
  const { config, file } = await to.config(options, "sources");
  const explained = await to.explain(config);
  const lines = options.offline === true ? [] : await to.checkSources(config, abort);
  const sources = lines.filter((line) => line.callGraph === undefined);
  const callGraph = lines.find((line) => line.callGraph !== undefined)?.callGraph ?? null;
  const words = [
    ...explained,
    ...(sources.length === 0 ? [] : ["", "Sources:"]),
    ...sources.map((line) => `  ${verdict(line)} ${line.text}`),
    ...(callGraph === null ? [] : ["", "Call graph:", ...coverageWords(callGraph).map((text) => `  ${text}.`)]),
  ];
  const ok = sources.every((line) => line.ok);
  await present(
    to,
    options.json,
    { file, ok, explained, sources, ...(callGraph === null ? {} : { callGraph }) },
    words,
  );
  if (sources.some(({ tooMuch }) => tooMuch === true)) return EXIT.no;
  return sources.every(({ ok }) => ok) ? EXIT.ok : EXIT.unavailable;
}

const verdict = ({ ok, tooMuch }: CheckLine): string => (ok ? "ok  " : tooMuch === true ? "FAIL" : "DOWN");
