// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables are spelled so in the file
import { describe, expect, it } from "vitest";
import { explain } from "../../../core/config/explain.ts";
import { changed, loaded, SEED, UNSHIP } from "./fixtures.ts";

const lines = (text: string) => explain(loaded(text));
const page = (text: string) => lines(text).join("\n");

const MIGRATIONS = { name: "orders-db", service: "orders", status: ["alembic", "current"] };
const FLAGSMITH = { type: "flagsmith", token: "${file:/key}", project: 42, environment_key: "B62q" };

describe("the explanation", () => {
  it("of the seed's file reads as it should", async () => {
    await expect(page(SEED)).toMatchFileSnapshot("snapshots/seed.explained.txt");
  });

  it("of the example for a real set-up reads as it should", async () => {
    await expect(page(UNSHIP)).toMatchFileSnapshot("snapshots/unship.explained.txt");
  });

  it.each([
    [
      "the default, because the file names none",
      SEED,
      "Mode: observe (the default: the file names none). unship changes nothing. It watches, and says what it would do.",
    ],
    ["observe", UNSHIP, "Mode: observe. unship changes nothing. It watches, and says what it would do."],
    [
      "approve",
      changed(UNSHIP, ["mode", "approve"]),
      "Mode: approve. unship acts only when a person agrees, each time, whatever else is configured below.",
    ],
    [
      "auto",
      changed(UNSHIP, ["mode", "auto"]),
      "Mode: auto. unship acts without a person where everything below allows it.",
    ],
    [
      "auto, but for a service",
      changed(UNSHIP, ["mode", "auto"], ["services.billing.mode", "observe"]),
      "Mode: auto, except for billing (observe).",
    ],
  ])("begins with the mode: %s", (_, text, first) => {
    expect(lines(text)[0]).toBe(first);
  });

  it.each([
    ["p99_latency is above 2000 ms (2 s), for 5m without a break"],
    ["p99_latency: your query; it yields s (by the names in it), turned into ms: times 1000."],
    ["It does not name the label service: it is rewritten to be asked for all services at once, grouped by service."],
    [
      "CAUTION: cannot tell slack:#incidents (no notifications.slack) and pagerduty:oncall (no notifications.pagerduty); it is only in the ledger and on the terminal.",
    ],
    ["syncs of Argo CD's applications, at https://argocd.internal/api/v1/applications, without a token."],
    [
      "elasticsearch at https://es.internal:9200, app-logs-*: no connector yet in this version: what it would say is unknown.",
    ],
    [
      "Flags: launchdarkly at https://app.launchdarkly.com (secret from the variable LD_API_KEY), project default, environment production.",
    ],
    ["Cannot be carried out with this configuration: no deployments source of type kubernetes is configured."],
    ["At most 3 in any hour, approved ones included; the 4th needs a person."],
    ["- 5 automatic actions happened in the last 24 hours"],
    ["- the same service was rolled back less than 10m ago"],
    ["- it would be the 3rd automatic rollback of a service in a row"],
    ["billing-service (this file describes nothing by it; whatever has it is protected)"],
    ["A person must agree if business_impact > high OR affected_services > 3, or if one of these is not known."],
    ["CAUTION: nobody. The file lists no approvers"],
  ])("of the seed's file says: %s", (sentence) => {
    expect(page(SEED)).toContain(sentence);
  });

  it.each([
    [
      "without a hand for any allowed action nothing can be done",
      changed(SEED, ["data_sources.feature_flags", undefined], ["data_sources.deployments", undefined]),
      "CAUTION: with this configuration none of the allowed actions can be carried out",
    ],
    [
      "Flagsmith is named with its project and environment",
      changed(UNSHIP, ["data_sources.feature_flags", FLAGSMITH]),
      "Flags: flagsmith at https://api.flagsmith.com (secret from the file /key), project 42, environment production.",
    ],
    [
      "a migration is read and taken back by the commands that the file names",
      changed(UNSHIP, [
        "data_sources.migrations",
        [{ ...MIGRATIONS, rollback: ["alembic", "downgrade", "{restore}"] }],
      ]),
      'one is rolled back by ["alembic","downgrade","{restore}"], once, after a person has approved it.',
    ],
    [
      "without a rollback command the steps are handed over",
      changed(UNSHIP, ["data_sources.migrations", [MIGRATIONS]]),
      "rolling one back is never done here: the exact steps are handed over to a person.",
    ],
    [
      "without policies nothing happens by itself",
      changed(UNSHIP, ["rollback_policies", undefined]),
      "No rollback_policies: nothing is ever rolled back without a person",
    ],
    [
      "without allowed actions nothing may be done",
      changed(UNSHIP, ["execution", undefined]),
      "Nothing: allowed_actions lists no action, so every plan is denied.",
    ],
    [
      "without a source of deploys none is found guilty",
      changed(UNSHIP, ["data_sources.deployments", undefined]),
      "Changes: no source. No deploy can be found to be the culprit, so none is ever rolled back.",
    ],
    [
      "a step that is left out costs something",
      changed(UNSHIP, ["reasoning_chain.on_anomaly_detected.1", undefined]),
      "CAUTION: the chain has no correlate_timing: no change is found more probable than another",
    ],
    [
      "a choice that is left out is never made",
      changed(UNSHIP, ["reasoning_chain.on_anomaly_detected.5.action", "select from [rollback, no_action]"]),
      "It chooses among rollback and no_action. Never: feature_flag_disable and hotfix_recommendation.",
    ],
    [
      "a condition without duration fires at once",
      changed(UNSHIP, ["rollback_policies.auto_rollback.conditions.0.duration", "0s"]),
      "error_rate is above 0.05 (5 %), in a single sample (its duration is 0)",
    ],
    [
      "a query that names the service label is left as it is",
      changed(UNSHIP, ["data_sources.metrics.queries.error_rate", "sum by (service) (rate(e[5m]))"]),
      "It names the label service, so it already tells services apart.",
    ],
    [
      "no verification is a cause for caution",
      changed(UNSHIP, ["feedback_loop.post_rollback.0.verify_metrics_recovered", false]),
      "CAUTION: it does not measure whether the action helped",
    ],
    [
      "a verification that ends before a query has forgotten the harm confirms nothing",
      changed(UNSHIP, ["feedback_loop.post_rollback.0.timeout", "4m"]),
      "CAUTION: no recovery from what checkout_orders (5m), error_rate (5m) and p99_latency (5m) measure can be confirmed",
    ],
    ["a protected name says what it protects", UNSHIP, "billing (the service billing)"],
    [
      "in mode approve each action needs a person",
      changed(UNSHIP, ["mode", "approve"]),
      "Needs a person, by the mode.",
    ],
    [
      "a model argues beside the core, and what it may use",
      changed(UNSHIP, ["model", { provider: "openai", model: "m" }]),
      "reads and argues beside the deterministic reasoner, which takes every step too. It holds and causes nothing; its doubt becomes a question to people.",
    ],
    [
      "a model that may hold is waited for, and can only hold",
      changed(UNSHIP, ["model", { provider: "openai", model: "m", may_hold: true }]),
      "and one evaluation; a doubt turns it into a question to people. It still causes nothing.",
    ],
    [
      "a global cooldown is for any service",
      changed(UNSHIP, ["execution.guardrails.cooldown_scope", "global"]),
      "- any service was rolled back less than 10m ago",
    ],
    [
      "no limit by the day is left is said as none",
      changed(UNSHIP, ["execution.guardrails.max_auto_rollbacks_per_day", 0]),
      "- anything would be done at all: max_auto_rollbacks_per_day is 0",
    ],
  ])("says that %s", (_, text, sentence) => {
    expect(page(text)).toContain(sentence);
  });

  it("has no line with a line break in it, whatever the file's texts hold", () => {
    const text = changed(
      UNSHIP,
      ["feedback_loop.post_rollback.1.if_not_recovered.message", "one\ntwo"],
      ["reasoning_chain.on_anomaly_detected.1.action", "a\nb"],
    );
    expect(lines(text).filter((line) => /\n/.test(line))).toEqual([]);
  });
});
