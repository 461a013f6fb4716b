import type { Composition, OpenSources } from "../../../agent/cli/composition.ts";
import { inMode } from "../../../agent/compose/config-file.ts";
import type { Config } from "../../../core/config/config.ts";

/** A composition over given sources, with what was printed and written. Whatever else is asked of it fails the test. */
export function pastComposition(config: Config, sources: OpenSources["sources"], now: number) {
  const printed = { out: "", err: "", files: new Map<string, string>(), closed: 0 };
  const unasked = (what: string) => async () => {
    throw new Error(`nobody should ask for ${what}`);
  };
  const composition: Composition = {
    version: "test",
    terminal: {
      out: (text) => {
        printed.out += text;
      },
      err: (text) => {
        printed.err += text;
      },
      isTty: false,
      columns: 80,
      askSecret: null,
    },
    now: () => now,
    start: { command: "node", args: ["unship"] },
    variables: unasked("the variables of a file"),
    diagnose: unasked("a diagnosis"),
    config: async ({ mode, config: file = "" }) => ({
      config: mode === undefined ? config : inMode(config, mode),
      file,
    }),
    sources: async () => ({
      sources,
      gaps: () => [],
      close: async () => {
        printed.closed += 1;
      },
    }),
    explain: unasked("an explanation"),
    checkQueries: unasked("a check"),
    checkSources: unasked("a check"),
    survey: unasked("a survey"),
    loads: unasked("a configuration"),
    isThere: unasked("a file"),
    writeNew: unasked("a file"),
    ledger: unasked("the ledger"),
    atWork: unasked("who is at work"),
    audit: unasked("the audit"),
    signEnd: unasked("a signature"),
    approverKey: unasked("a key"),
    hasEnded: unasked("another process"),
    desk: unasked("the desk"),
    gate: unasked("a gate"),
    watch: unasked("a watch"),
    mcp: unasked("a server"),
    investigate: unasked("an investigation"),
    model: unasked("a model"),
    postmortem: unasked("a postmortem"),
    knowledge: unasked("the memory"),
    readSecretFile: unasked("a secret"),
    writeLines: unasked("a file of lines"),
    writeFile: async (path, text) => {
      printed.files.set(path, text);
    },
  };
  return { composition, printed };
}
