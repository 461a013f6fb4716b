import { type AskContext, type Asking, oneAtATime } from "../../core/model/asking.ts";
import type { FlagState, Rollout, Topology } from "../../core/model/evidence.ts";
import type { Series } from "../../core/model/signal.ts";
import type { Sources } from "../../core/ports.ts";
import type { ReadMetric } from "./bystanders.ts";

/** What one look at one act asks; undefined: no source has an answer. Never throws. */
export interface ActReaders {
  /** Whole services only; unsmoothed, since a smoothed query shows the past for minutes after it is over. */
  readonly metric: ReadMetric;
  rollouts(): Promise<readonly Rollout[] | undefined>;
  flags(): Promise<readonly FlagState[] | undefined>;
  topology(): Promise<readonly Topology[] | undefined>;
}

/** Questions kept of so many acts: far more than are verified at a time. */
const MOST_ACTS = 64;

/**
 * Reads for the verification of acts. Each act has questions of its own, so that an answer which comes late was asked for
 * after that act. Sources are asked side by side, each at most once at a time for one act.
 */
export function createVerifyingReaders(
  sources: Pick<Sources, "metrics" | "rollouts" | "flags" | "topology">,
  stepMs: number,
) {
  const acts = new Map<string, Questions>();

  function questionsOf(act: string): Questions {
    const known = acts.get(act) ?? newQuestions();
    acts.delete(act);
    acts.set(act, known);
    for (const [oldest] of acts) {
      if (acts.size <= MOST_ACTS) break;
      acts.delete(oldest);
    }
    return known;
  }

  /** `act` names it among all that are verified. */
  function about(act: string, context: AskContext): ActReaders {
    const { abort } = context;
    const asked = questionsOf(act);
    return {
      async metric(metric, window) {
        const answers = await Promise.all(
          sources.metrics.map(async (source, index) => {
            if (!source.metrics().includes(metric)) return null;
            const query = { metric, window, stepMs, purpose: "statistics" } as const;
            const key = `${index} ${window.from} ${metric}`;
            const asking = asked.metrics(key, {
              of: "metrics",
              metric,
              source: source.name,
              what: "metrics",
              detail: metric,
            });
            return asking(context, () => source.range(query, abort));
          }),
        );
        // The first source that knows; if none does, the signal has no data and is unknown (S9).
        const all = answers.find((answer) => answer !== null)?.answer ?? [];
        return all.filter(({ labels }) => Object.keys(labels).length === 0);
      },
      rollouts: () => all(sources.rollouts, asked.rollouts, "rollouts", context, (source) => source.rollouts(abort)),
      flags: () => all(sources.flags, asked.flags, "flags", context, (source) => source.flags(abort)),
      topology: () =>
        all(sources.topology, asked.topology, "topology", context, async (source) => [await source.topology(abort)]),
    };
  }

  return { about };
}

interface Questions {
  readonly metrics: Slots<readonly Series[]>;
  readonly rollouts: Slots<readonly Rollout[]>;
  readonly flags: Slots<readonly FlagState[]>;
  readonly topology: Slots<readonly Topology[]>;
}

type Slots<T> = (key: string, question: Parameters<typeof oneAtATime>[0]) => Asking<T>;

const newQuestions = (): Questions => ({
  metrics: slots(),
  rollouts: slots(),
  flags: slots(),
  topology: slots(),
});

function slots<T>(): Slots<T> {
  const known = new Map<string, Asking<T>>();
  return (key, question) => {
    const asking = known.get(key) ?? oneAtATime<T>(question);
    known.set(key, asking);
    return asking;
  };
}

/** All that the sources say together; undefined where none of them answered. */
async function all<S extends { readonly name: string }, T>(
  sources: readonly S[],
  asked: Slots<readonly T[]>,
  what: "rollouts" | "flags" | "topology",
  context: AskContext,
  read: (source: S) => Promise<readonly T[]>,
): Promise<readonly T[] | undefined> {
  const answers = await Promise.all(
    sources.map((source, index) =>
      asked(`${index}`, { of: what, source: source.name, what })(context, () => read(source)),
    ),
  );
  const given = answers.flatMap((read) => (read === null ? [] : [read.answer]));
  return given.length === 0 ? undefined : given.flat();
}
