import { z } from "zod";
import { rfc3339 } from "../../core/model/time.ts";
import { UNTRUSTED_NOTICE } from "../../core/model/untrusted-text.ts";
import { cursor, limit, more, notice, service } from "../arguments.ts";
import { askAll } from "../ask-sources.ts";
import { defineTool } from "../define-tool.ts";
import { gaps, gapViews } from "../gap-view.ts";
import { refuseEmptyOfUnknown } from "../known-service.ts";
import { page } from "../page.ts";
import { windowFields, windowOf } from "../time-window.ts";
import { TraceView, traceViews } from "../trace-view.ts";

/** Spans read for one question: a few hundred traces of a dozen spans, enough to see a pattern. */
const SPANS = 5_000;

export const getTraces = defineTool({
  name: "get_traces",
  title: "Get traces",
  effect: "read",
  reach: "sources",
  description:
    "Traces of a window, newest first: the path of calls from the root to the deepest failing (or slowest) span as " +
    "`service operation ms`, ! on failed spans. Shows where an error starts and who only passes it on. " +
    "Failing traces only, unless errors_only is false.",
  input: z.strictObject({
    service,
    errors_only: z.boolean().default(true),
    ...windowFields,
    limit: limit(50, 10),
    cursor,
  }),
  output: z.strictObject({
    notice,
    from: z.string(),
    to: z.string(),
    traces: z.array(TraceView),
    total: z.number(),
    sampled: z.boolean().describe("More spans matched than were read"),
    more,
    gaps,
  }),
  async run(input, context, abort) {
    const { sources, clock } = context;
    const window = windowOf(input, clock.now());
    const query = {
      window,
      errorsOnly: input.errors_only,
      limit: SPANS,
      ...(input.service === undefined ? {} : { services: [input.service] }),
    };
    const asked = await askAll(
      sources.traces,
      { of: "traces", what: "traces" },
      (source) => source.spans(query, abort),
      abort,
    );
    const views = traceViews(asked.answers.flatMap((answer) => answer.spans));
    if (views.length === 0) await refuseEmptyOfUnknown(input.service, context);
    const { cursor: at, limit: most, ...question } = input;
    const { items, ...rest } = page(views, { cursor: at, limit: most, question });
    return {
      notice: UNTRUSTED_NOTICE,
      from: rfc3339(window.from),
      to: rfc3339(window.to),
      traces: [...items],
      sampled: asked.answers.some((answer) => answer.more),
      ...rest,
      gaps: gapViews(asked.gaps),
    };
  },
});
