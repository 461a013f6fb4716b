import { createRequire } from "node:module";
import type { SecretLintSourceCode } from "@secretlint/types";
import { isJoinedName } from "./looks.ts";
import type { Span } from "./span.ts";

/**
 * The rules of secretlint's recommended preset (MIT, https://github.com/secretlint/secretlint), which its project keeps up with
 * the vendors' token formats. Each rule looks at a source and reports ranges; this is its documented contract for rules
 * (`SecretLintRuleCreator` in @secretlint/types), without the parts that read files and format reports.
 */
export function reportedByRules(text: string): readonly Span[] {
  if (!mayHold(text)) return [];
  const found: Span[] = [];
  // Some of the rules cost more than in proportion to the text: no rule sees more than a window at a time.
  for (let start = 0; start === 0 || start + OVERLAP < text.length; start += WINDOW - OVERLAP) {
    const part = text.slice(start, start + WINDOW);
    if (start > 0 && !mayHold(part)) continue;
    for (const span of report(part)) {
      if (!isJoinedName(part.slice(span.start, span.end)))
        found.push({ start: start + span.start, end: start + span.end });
    }
  }
  return found;
}

const WINDOW = 2_048;
/** No token that the rules know is longer, private keys apart, which are hidden as blocks. */
const OVERLAP = 512;

/**
 * Every one of the rules asks for twelve characters or more without a blank that are no plain word: most lines hold none.
 */
const mayHold = (text: string): boolean => CANDIDATE.test(text);
const CANDIDATE =
  /:\/\/[^\s/]{1,300}@|(?<![\w.-])(?=[\w.-]{0,64}\d)(?=[\w.-]{0,64}[A-Z_])(?=[\w.-]{0,64}[a-z])[\w.-]{16,64}|\b[A-Z]{4}[A-Z0-9]{12,}/;

let reported: Span[] = [];

type Preset = typeof import("@secretlint/secretlint-rule-preset-recommend");
type Handler = ReturnType<Preset["rules"][number]["create"]>;

let handlers: readonly Handler[] | null = null;

/** The rules are read when a text first asks for them: most commands never need one, and should start at once. */
function handlersOf(): readonly Handler[] {
  const { rules }: Preset = createRequire(import.meta.url)("@secretlint/secretlint-rule-preset-recommend");
  return rules
    .filter(({ meta }) => meta.type === "scanner")
    .map((rule) =>
      rule.create(
        {
          sharedOptions: {},
          createTranslator: () => (messageId, data) => ({ message: "", messageId: String(messageId), data }),
          report: ({ range: [start, end] }) => void reported.push({ start, end }),
          ignore: () => undefined,
        },
        {},
      ),
    );
}

function report(content: string): readonly Span[] {
  reported = [];
  handlers ??= handlersOf();
  for (const handler of handlers) handler.file?.(sourceOf(content));
  return reported;
}

/** A text as the rules see a source: no file behind it, and no lines, which none of these rules asks for. */
function sourceOf(content: string): SecretLintSourceCode {
  const position = { line: 1, column: 0 };
  return {
    hasBOM: false,
    content,
    filePath: undefined,
    physicalFilePath: undefined,
    contentType: "text",
    ext: "",
    getFilePath: () => undefined,
    getPhysicalFilePath: () => undefined,
    locationToRange: () => [0, 0],
    rangeToLocation: () => ({ start: position, end: position }),
    positionToIndex: () => 0,
    indexToPosition: () => position,
  };
}
