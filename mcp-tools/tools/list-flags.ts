import { z } from "zod";
import type { FlagState } from "../../core/model/evidence.ts";
import type { AllFenced } from "../../core/model/fenced.ts";
import { rfc3339 } from "../../core/model/time.ts";
import { name, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { cursor, limit, more, notice, service } from "../arguments.ts";
import { askAll } from "../ask-sources.ts";
import { defineTool } from "../define-tool.ts";
import { gaps, gapViews } from "../gap-view.ts";
import { refuseEmptyOfUnknown } from "../known-service.ts";
import { page } from "../page.ts";

const FlagView = z.strictObject({
  flag: z.string(),
  environment: z.string(),
  enabled: z.boolean(),
  services: z.array(z.string()).describe("Empty: not known"),
  changed_at: z.string().nullable(),
});

/** So many services of one flag are worth their tokens. */
const SERVICES = 20;

export const listFlags = defineTool({
  name: "list_flags",
  title: "List feature flags",
  effect: "read",
  reach: "sources",
  description:
    "Feature flags as their system holds them now, latest change first, and which services evaluate each. What was " +
    "switched when is in list_changes.",
  input: z.strictObject({ service, limit: limit(100, 20), cursor }),
  output: z.strictObject({ notice, flags: z.array(FlagView), total: z.number(), more, gaps }),
  async run(input, context, abort) {
    const asked = await askAll(
      context.sources.flags,
      { of: "flags", what: "feature flags" },
      (source) => source.flags(abort),
      abort,
    );
    const wanted = asked.answers
      .flat()
      .filter(({ services }) => input.service === undefined || services.includes(input.service))
      .toSorted((a, b) => (b.changedAt ?? 0) - (a.changedAt ?? 0) || order(a).localeCompare(order(b), "en"));
    if (wanted.length === 0) await refuseEmptyOfUnknown(input.service, context);
    const { cursor: at, limit: most, ...question } = input;
    const { items, ...rest } = page(wanted.map(flagView), { cursor: at, limit: most, question });
    return { notice: UNTRUSTED_NOTICE, flags: [...items], ...rest, gaps: gapViews(asked.gaps) };
  },
});

const order = ({ key, environment }: FlagState) => JSON.stringify([key, environment]);

function flagView({ key, environment, enabled, services, changedAt }: FlagState): AllFenced<z.infer<typeof FlagView>> {
  return {
    flag: name(key),
    environment: name(environment),
    enabled,
    services: services.slice(0, SERVICES).map((one) => name(one)),
    changed_at: rfc3339(changedAt),
  };
}
