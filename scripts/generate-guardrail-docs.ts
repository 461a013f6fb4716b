import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Rule } from "../core/guardrails/rule.ts";
import { RULES } from "../core/guardrails/rules.ts";
import { ASK_FOR_EVIDENCE } from "../test/core/guardrails/ask-for-evidence-rows.ts";
import { ASK } from "../test/core/guardrails/ask-rows.ts";
import { DENY } from "../test/core/guardrails/deny-rows.ts";
import { LIMITS, LIMITS_DENY } from "../test/core/guardrails/limit-rows.ts";
import { OWN_ACTS } from "../test/core/guardrails/own-acts-rows.ts";
import { WORST_FIRST } from "../test/core/guardrails/worst-first-rows.ts";

const ROOT = join(import.meta.dirname, "..");
const ROWS = [...DENY, ...LIMITS_DENY, ...ASK, ...ASK_FOR_EVIDENCE, ...LIMITS, ...WORST_FIRST, ...OWN_ACTS];

const HEAD = `# Guardrails

Made from the files in \`core/guardrails/rules\` and from the tables of their tests by \`npm run docs\`; do not edit.

Every plan, whoever proposed it, is judged by all of these rules, in this order: each time it is submitted, and again in
the transaction that reserves it. A rule can only make the verdict stricter (\`allow\`, \`require_approval\`, \`deny\`); the
strictest one counts, and the answer names every rule that applied, with its reason. What a person may overrule requires
approval; what nobody may overrule is denied. A rule that fails denies, and a fact that could not be read never allows a
plan: it requires approval.
How each limit is set is in [configuration.md](configuration.md).
`;

/** The page of every rule: why it exists, from the comment above it, and each situation in which its tests make it speak. */
export function guardrailsPage(): string {
  return `${HEAD}\n${RULES.map((rule, index) => section(rule, index + 1)).join("\n")}`;
}

function section({ name }: Rule, number: number): string {
  const rows = ROWS.filter(([, , rule]) => rule === name);
  const lines = (["deny", "require_approval"] as const).flatMap((verdict) => {
    const situations = rows
      .filter(([, , , given]) => given === verdict)
      .map(([situation]) => `- ${sentence(situation)}`);
    return situations.length === 0 ? [] : [`${VERDICTS[verdict]}\n\n${[...new Set(situations)].join("\n")}\n`];
  });
  const never = "Only informs; holds no plan.\n";
  return `## ${number}. ${name}\n\n${reasonOf(name)}\n\n${lines.length === 0 ? never : lines.join("\n")}`;
}

const VERDICTS = { deny: "**Denies**, for example:", require_approval: "**Requires approval**, for example:" } as const;

/** A promise's number in front of a test's name is for developers. */
const sentence = (situation: string): string => situation.replace(/^S\d+: /, "").replaceAll("<", "&lt;");

/** The comment above the rule, as one paragraph; throws where a rule has none. */
export function reasonOf(name: string): string {
  const text = readFileSync(join(ROOT, "core/guardrails/rules", `${name}.ts`), "utf8");
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export const \w+: Rule\b/.exec(text)?.[1];
  const reason = (comment ?? "")
    .replaceAll(/^\s*\* ?/gm, "")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/ \((?:S\d+(?:, )?)+\)/g, "")
    .trim();
  if (reason === "") throw new Error(`core/guardrails/rules/${name}.ts does not say why the rule exists`);
  return reason;
}

if (import.meta.main) writeFileSync(join(ROOT, "docs/guardrails.md"), guardrailsPage());
