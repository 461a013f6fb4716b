import { z } from "zod";
import { STEP_ANSWERS } from "../../core/model/step-answers.ts";
import { name, UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { cursor, incident, known, knownAnswers, limit, more, notice, service } from "../arguments.ts";
import { defineTool } from "../define-tool.ts";
import { gaps, gapViews } from "../gap-view.ts";
import { refuseUnknownService, servicesOf } from "../known-service.ts";
import { openCase } from "../open-case.ts";
import { page, RESULT_WEIGHT } from "../page.ts";

export const getDependencies = defineTool({
  name: "get_dependencies",
  title: "Get dependencies",
  effect: "read",
  reach: "held",
  description:
    "Who calls whom (`edges`: [caller, callee]), which nodes are outside and cannot be rolled back, and in " +
    "`coordinated` which changes must be rolled back together with the likely culprit, in order. `known: false`: no call " +
    "graph, which does not mean no dependencies.",
  input: z.strictObject({ incident, service, known, limit: limit(300, 100), cursor }),
  output: z.strictObject({
    notice,
    known: z.boolean(),
    edges: z.array(z.array(z.string())),
    external: z.array(z.string()),
    coordinated: STEP_ANSWERS.check_dependency_graph,
    total: z.number(),
    more,
    gaps,
  }),
  async run(input, context) {
    const { file, answer, once, sentence } = await openCase(context, input.incident);
    refuseUnknownService(input.service, servicesOf(file, context.config));
    return once("get_dependencies", input, () => {
      const { order, because } = answer("check_dependency_graph", knownAnswers(input.known));
      const edges = (file.topology?.edges ?? []).filter(
        ([caller, callee]) => input.service === undefined || caller === input.service || callee === input.service,
      );
      const { cursor: at, limit: most, ...question } = input;
      const shown = edges.map(([caller, callee]) => [name(caller), name(callee)]);
      const outside = (file.topology?.external ?? []).map((node) => name(node));
      const { items, ...rest } = page(shown, { cursor: at, limit: most, question, weight: (RESULT_WEIGHT / 4) * 3 });
      return {
        notice: UNTRUSTED_NOTICE,
        known: file.topology !== null,
        edges: [...items],
        external: [...page(outside, { limit: most, question, weight: RESULT_WEIGHT / 4 }).items],
        coordinated: { order: [...order], because: [...because] },
        ...rest,
        gaps: gapViews(file.gaps, sentence),
      };
    });
  },
});
