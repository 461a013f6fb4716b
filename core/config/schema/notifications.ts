import { z } from "zod";
import { SECRET_FORMS } from "../variables.ts";
import { field, name, secret, url } from "./fields.ts";

const Slack = z.strictObject({
  bot_token: field(secret(), `Token of the app's bot, with the scope chat:write, as ${SECRET_FORMS}.`),
  signing_secret: field(
    secret().optional(),
    `The app's signing secret, by which presses of its buttons are known to be Slack's, as ${SECRET_FORMS}.`,
    { unless: "messages have no buttons" },
  ),
  team: field(
    name()
      .regex(/^[TE][A-Z0-9]+$/)
      .optional(),
    "Slack's id of the workspace (T…) whose members may answer.",
    { unless: "any in which the app is installed" },
  ),
  api_url: field(url().default("https://slack.com/api"), "Where Slack's Web API answers."),
});

const Pagerduty = z.strictObject({
  routing_keys: field(
    z.record(name(), field(secret(), `An integration key, as ${SECRET_FORMS}.`)),
    'Integration keys (Events API v2) by the name that targets use: "pagerduty:oncall" is oncall. Never the key itself.',
  ),
  api_url: field(url().default("https://events.pagerduty.com"), "Where PagerDuty's Events API answers."),
});

/** Through what people are told. */
export const Notifications = z.strictObject({
  slack: field(Slack.optional(), 'The Slack app that "slack:#channel" is notified by.', {
    unless: "notices to such targets are only in the ledger and on the terminal",
  }),
  pagerduty: field(Pagerduty.optional(), 'What "pagerduty:name" pages.', {
    unless: "notices to such targets are only in the ledger and on the terminal",
  }),
});
