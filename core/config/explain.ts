import type { Config } from "./config.ts";
import { explainActions, explainLimits } from "./explain/actions.ts";
import { explainChain } from "./explain/chain.ts";
import { explainGate } from "./explain/gate.ts";
import { explainFreezes, graduationLine } from "./explain/limits.ts";
import { explainApprovers, explainFeedback, explainServices } from "./explain/people.ts";
import { explainPolicies } from "./explain/policies.ts";
import { explainServer } from "./explain/server.ts";
import { explainSources, secretWords } from "./explain/sources.ts";
import { listed, missingHand, under } from "./explain/words.ts";
import { asWritten } from "./filled.ts";
import { formatProblem } from "./load.ts";
import { oneLine } from "./yaml-tree.ts";

/**
 * What a file will make unship do, in plain words for whoever is on call: the mode first (and that it is the default,
 * if the file names none, S7), then sources, policies, the chain, actions, limits, what follows an action, approvers.
 * Secrets are named by where they come from, never by what they are, and so is what came from a variable (S10).
 */
export function explain(config: Config): readonly string[] {
  const sections = [
    explainSources(config),
    explainPolicies(config),
    explainChain(config),
    explainActions(config),
    explainLimits(config),
    explainFreezes(config),
    explainFeedback(config),
    explainApprovers(config),
    explainGate(config),
    explainServer(config),
    explainServices(config),
  ];
  return [
    ...modeLines(config),
    ...sections.flatMap(({ heading, lines }) => [
      "",
      `${heading}${heading.endsWith("when") ? "" : ":"}`,
      ...under(lines),
    ]),
    "",
    graduationLine(config),
    ...recordLines(config),
    ...vainLines(config),
  ].map((line) => oneLine(asWritten(line, config.filled)));
}

function recordLines({ ledger }: Config): readonly string[] {
  return [
    `The record of all of it: ${ledger.type === "sqlite" ? ledger.path : `PostgreSQL${secretWords(ledger.url)}`}.`,
    ledger.signingKey === null
      ? "Its end is not signed, since the file names no ledger.signing_key; that nothing was cut off it cannot be proven later."
      : `Its end is signed with ${ledger.signingKey}, and goes with every notice.`,
  ];
}

/** What looks like a limit, a reminder or a step and is none, where it stands, and what to do. */
const vainLines = ({ vain = [] }: Config): readonly string[] =>
  vain.length === 0
    ? []
    : [
        "",
        "CAUTION: these can never have their effect, or have one that nobody wants:",
        ...under(vain.map(formatProblem)),
      ];

function modeLines(config: Config): readonly string[] {
  const { mode, modeIsDefault, services } = config;
  const others = Object.entries(services).filter(([, service]) => service.mode !== null && service.mode !== mode);
  const exceptions = others.map(([name, service]) => `${name} (${service.mode})`);
  const why = modeIsDefault ? " (the default: the file names none)" : "";
  const but = others.length === 0 ? "" : `, except for ${listed(exceptions)}`;
  const said = [...new Set([mode, ...others.flatMap(([, service]) => service.mode ?? [])])];
  return [
    `Mode: ${mode}${why}${but}. ${said.length === 1 ? `unship ${MODES[mode]}` : ""}`.trimEnd(),
    ...(said.length === 1 ? [] : said.map((one) => `  In ${one} unship ${MODES[one]}`)),
    ...(mode === "observe" ? ["What follows is what it would do in mode auto."] : []),
    ...idleLines(config),
  ];
}

/** A file whose every action lacks something looks like protection and is none. */
function idleLines(config: Config): readonly string[] {
  const { allowedActions } = config;
  if (allowedActions.length === 0 || allowedActions.some(({ type }) => missingHand(type, config) === null)) return [];
  return [
    "CAUTION: with this configuration none of the allowed actions can be carried out; the reasons are beside each.",
  ];
}

const MODES = {
  observe: "changes nothing. It watches, and says what it would do.",
  approve: "acts only when a person agrees, each time, whatever else is configured below.",
  auto: "acts without a person where everything below allows it.",
} as const;
