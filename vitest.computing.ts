/**
 * Files that compute all the time and wait for nothing. `npm test` runs them at the lowest priority beside the real control plane,
 * which waits for minutes and leaves more than a core idle; with the unit tests they would take two minutes more.
 */
export const COMPUTING = [
  "test/agent/chain/injections.test.ts",
  "test/agent/compose/outside-text.test.ts",
  "test/e2e/replay.test.ts",
  "test/evals/fleet/apart.test.ts",
  "test/evals/fleet/drawn-cases.test.ts",
  "test/evals/independent/independent.test.ts",
  "test/evals/one-story/one-story.test.ts",
  "test/evals/reasoner/replay-with-model.test.ts",
  "test/evals/scenarios/bundles.test.ts",
  "test/evals/scenarios/fleet.test.ts",
  "test/mcp-tools/bounded.test.ts",
  "test/screens/incident.test.ts",
];
