import { z } from "zod";
import { ImpactLevel } from "../../model/impact.ts";
import { ActionType } from "../../model/plan.ts";
import { cronProblem, FREEZE_ROLLBACKS, isTimeZone } from "../freeze-window.ts";
import { cronHint, zoneHint } from "../hints/times.ts";
import { count, duration, field, name, ratio } from "./fields.ts";
import { notification } from "./policies.ts";

const custom = (message: string, hint: string) => ({ code: "custom", message, params: { hint } }) as const;

const FreezeWindow = z.strictObject({
  name: field(name(), "What people call it: it is given in the reason when it holds a plan."),
  cron: field(
    z.string().superRefine((value, context) => {
      const problem = cronProblem(value);
      if (problem !== null) context.addIssue(custom(problem, cronHint(value)));
    }),
    "When it begins, as five cron fields: minute, hour, day, month, weekday.",
  ),
  time_zone: field(
    z
      .string()
      .superRefine((value, context) => {
        if (!isTimeZone(value)) context.addIssue(custom("is no time zone", zoneHint(value)));
      })
      .default("UTC"),
    "The time zone of `cron`, by its IANA name; its summer time counts.",
  ),
  duration: field(duration(60_000), "How long it lasts from each begin.", { unit: "duration" }),
  services: field(
    z.array(name()).min(1).optional(),
    "The services that it is for; matched as never_auto_rollback is.",
    {
      unless: "all",
    },
  ),
  rollbacks: field(
    z.enum(FREEZE_ROLLBACKS),
    "What it means for rollbacks, which has to be said: allow (it holds for deploys alone), approve (each needs a person), deny (nothing is rolled back, not even with a person's approval).",
  ),
});

export const freezeWindows = field(
  z.array(FreezeWindow).default([]),
  "Times in which people want no changes, and what that means for rollbacks.",
);

export const BlastRadius = z.strictObject({
  services: field(
    count(1).default(3),
    "How many services one plan may touch without a person, those that its applications and flags reach included.",
    { unit: "services" },
  ),
  traffic_share: field(
    ratio().optional(),
    "How much of all requests the services of one plan may serve without a person. Where that cannot be measured, a person is asked.",
    { unit: "ratio 0–1", unless: "no limit by traffic" },
  ),
  replicas: field(
    count(1).optional(),
    "How many pods one plan may replace without a person. Where their number cannot be read, a person is asked.",
    { unit: "pods", unless: "no limit by pods" },
  ),
});

const TwoPersons = z
  .strictObject({
    services: field(z.array(name()).min(1).optional(), "Services; matched as never_auto_rollback is.", {
      unless: "any",
    }),
    actions: field(z.array(ActionType).min(1).optional(), "Action types.", { unless: "any" }),
    criticality: field(
      ImpactLevel.optional(),
      "From this importance upwards. A service that the file does not describe counts as critical.",
      { unless: "any" },
    ),
  })
  .superRefine((rule, context) => {
    if (Object.keys(rule).length === 0) {
      context.addIssue(custom("says nothing", "name services, actions or criticality; criticality: low is everything"));
    }
  });

const EscalationStep = z.strictObject({
  after: field(duration(1000), "How long after people were first asked.", { unit: "duration" }),
  to: field(notification().min(1), 'Whom to tell then, the next in line: "pagerduty:second-line".'),
});

export const approval = field(
  z
    .strictObject({
      two_persons: field(
        z.array(TwoPersons).default([]),
        "Plans that two different people must approve: those with a target that fits all that one entry names.",
      ),
      remind_after: field(
        duration(1000).default("5m"),
        "How long a plan waits for a person before those who were asked are reminded, once.",
        { unit: "duration" },
      ),
      escalate: field(z.array(EscalationStep).default([]), "Who is notified when nobody answers, step by step."),
      token_file: field(
        z.enum(["other_user", "same_user"]).default("other_user"),
        "Whose file --token-file may name. other_user: one that the user whose process owns the ledger cannot read, since what the agent can read proves nobody's identity. same_user: any private one; for trying out alone.",
      ),
    })
    .prefault({}),
  "How people are asked for approval.",
  { unless: "one person is enough, reminded after 5m, escalated to nobody else" },
);

export const graduation = field(
  z
    .strictObject({
      approve_after_proposals: field(
        count(1).default(3),
        "So many incidents in which it named a rollback of the service, before `unship status` suggests mode approve.",
        { unit: "incidents" },
      ),
      auto_after_recovered: field(
        count(1).default(5),
        "So many rollbacks of the service in a row that a person approved and that brought recovery, before it suggests mode auto. A rejected one, or one that did not help, starts the row anew.",
        { unit: "rollbacks" },
      ),
    })
    .prefault({}),
  "What a service has to show before more freedom is suggested. Only people change the mode, in this file.",
  { unless: "3 proposals before approve, 5 approved recoveries in a row before auto" },
);
