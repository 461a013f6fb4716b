import { describe, expect, it } from "vitest";
import { isScalar, parseDocument, type Scalar, visit } from "yaml";
import { formatProblem } from "../../../../core/config/load.ts";
import { applyHint } from "./apply-hint.ts";
import { BASE, mistaken, saidOf } from "./harness.ts";

/** One mistake, made everywhere in the base file where it can be made. */
interface Everywhere {
  readonly what: string;
  readonly isKey: boolean;
  /** What is written instead; null: this place cannot have the mistake. */
  readonly mistake: (written: string, value: unknown) => string | null;
}

/** Maps whose keys are names that people choose. */
const NAMED = /^(?:data_sources\.metrics\.queries|rollback_policies|services|notifications\.pagerduty\.routing_keys)$/;

const SPOKEN: Readonly<Record<string, string>> = { s: "seconds", m: "min", h: "hours" };

const MISTAKES: readonly Everywhere[] = [
  {
    what: "a duration in words",
    isKey: false,
    mistake: (written) => {
      const [, count, unit = ""] = /^(\d+)([smh])$/.exec(written) ?? [];
      return count === undefined ? null : `${count} ${SPOKEN[unit]}`;
    },
  },
  {
    what: "a number in quotes",
    isKey: false,
    mistake: (written, value) => (typeof value === "number" ? `"${written}"` : null),
  },
  {
    what: "YAML 1.1's boolean",
    isKey: false,
    mistake: (_, value) => (typeof value === "boolean" ? (value ? "yes" : "off") : null),
  },
  {
    what: "a key in camel case",
    isKey: true,
    mistake: (written) =>
      written.includes("_") ? written.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()) : null,
  },
  {
    what: "a key with two letters swapped",
    isKey: true,
    mistake: (written) =>
      written.length > 3 && written[1] !== written[2]
        ? `${written[0]}${written[2]}${written[1]}${written.slice(3)}`
        : null,
  },
];

interface Place {
  readonly name: string;
  readonly offset: number;
  readonly written: string;
  readonly value: unknown;
  readonly isKey: boolean;
}

/** Every value, and every key that is none of a person's own names. */
function placesOf(text: string): readonly Place[] {
  const found: Place[] = [];
  visit(parseDocument(text), {
    Scalar(role, node: Scalar, path) {
      const steps = path.flatMap((one) => ("key" in one && isScalar(one.key) ? [String(one.key.value)] : []));
      const [from = 0, to = 0] = node.range ?? [];
      const isKey = role === "key";
      const parent = steps.slice(0, -1).join(".");
      if (isKey && NAMED.test(parent)) return;
      found.push({ name: steps.join("."), offset: from, written: text.slice(from, to), value: node.value, isKey });
    },
  });
  return found;
}

describe.each(MISTAKES)("$what, wherever it can be", ({ mistake, isKey }) => {
  const places = placesOf(BASE).flatMap((place) => {
    const put = place.isKey === isKey ? mistake(place.written, place.value) : null;
    return put === null ? [] : [{ ...place, put }];
  });

  it("can be somewhere", () => {
    expect(places.length).toBeGreaterThan(2);
  });

  it.each(places.map((place) => [`${place.name} (${place.offset})`, place.put, place] as const))(
    "%s: %s is refused at its place, and its hint mends it",
    (_, put, { offset, written }) => {
      const text = BASE.slice(0, offset) + put + BASE.slice(offset + written.length);
      const { variables } = mistaken({ what: "", from: "watch:", to: "‸watch:", says: /./ });
      const before = BASE.slice(0, offset).split("\n");
      const { verdict, said } = saidOf({ text, variables });
      expect(said.map((one) => `${one.line}:${one.column} ${formatProblem(one)}`)).toEqual([
        expect.stringMatching(new RegExp(`^${before.length}:${(before.at(-1) ?? "").length + 1} `)),
      ]);
      expect(verdict).toBe("refused");
      const [problem] = said;
      const mended = problem === undefined ? null : applyHint({ text, variables }, problem);
      expect(mended === null ? said : saidOf(mended)).toEqual({ verdict: "sound", said: [] });
    },
  );
});

it("keys that are misspelt within one another are named all at once, and nothing besides", () => {
  const { text, variables } = mistaken({
    what: "",
    from: "data_sources:\n  metrics:\n    type: prometheus\n    endpoint:",
    to: "‸dataSources:\n  metric:\n    tpye: prometheus\n    url:",
    says: /./,
  });
  expect(saidOf({ text, variables }).said.map(formatProblem)).toEqual([
    'unship.yaml:4:1: there is no key "dataSources" at the top (did you mean data_sources?)',
    'unship.yaml:5:3: there is no key "metric" in data_sources (did you mean metrics?)',
    'unship.yaml:6:5: there is no key "tpye" in data_sources.metrics (did you mean type?)',
    'unship.yaml:7:5: there is no key "url" in data_sources.metrics (did you mean endpoint?)',
  ]);
});
