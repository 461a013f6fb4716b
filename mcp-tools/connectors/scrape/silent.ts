import type { Gap, GapKind, GapReason } from "../../../core/model/assessment.ts";
import { type AbsurdOf, createAbsurdGaps } from "./absurd.ts";

/** A target that gave no usable answer in one tick. */
export interface FailedTarget {
  /** Without user and password. */
  readonly url: string;
  readonly because: string;
  /** The services that it is known to speak of; empty: none yet. */
  readonly services: readonly string[];
}

/** What one tick of a scrape could not do. */
export interface Failures {
  readonly targets: number;
  readonly failed: readonly FailedTarget[];
  readonly discoveryFailed: string | null;
  readonly spoolFailed: string | null;
  readonly dropped: number;
  readonly invalidLines: number;
  /** By the last answer of each target. */
  readonly absurd?: readonly AbsurdOf[];
  /** The services that answers of this tick speak of. */
  readonly answered?: ReadonlySet<string>;
}

/** Stands among the targets' addresses for the list of them. */
const DISCOVERY = "discovery";
const NOBODY: ReadonlySet<string> = new Set();
/** So many targets of one service are named. */
const NAMED = 3;

/**
 * What a scrape does not see, tick by tick: each service's silent targets in one gap, so that a thousand pods that are
 * down are no thousand gaps. A target, or the discovery, is silent once it has given no answer for longer than
 * `patienceMs`: a process that ends or starts during a deploy is none. At the very first tick nothing is known of any of
 * them, so that one miss is enough.
 */
export function createSilentTargets(source: string, patienceMs: number) {
  let missing = new Map<string, { readonly since: number; readonly first: boolean }>();
  let begun = false;
  const absurdGaps = createAbsurdGaps(source);

  function take({ failed, discoveryFailed }: Failures, now: number): void {
    const names = [...failed.map(({ url }) => url), ...(discoveryFailed === null ? [] : [DISCOVERY])];
    missing = new Map(names.map((name) => [name, missing.get(name) ?? { since: now, first: !begun }]));
    begun = true;
  }

  /** Since when this has been silent, Unix ms; null: it is not. */
  function silentSince(name: string, now: number): number | null {
    const one = missing.get(name);
    return one !== undefined && (one.first || now - one.since > patienceMs) ? one.since : null;
  }

  function silentTargets({ failed, targets }: Failures, now: number): readonly Gap[] {
    const silent = failed.flatMap((target) => {
      const since = silentSince(target.url, now);
      return since === null ? [] : [{ ...target, since }];
    });
    const whose = Map.groupBy(silent, ({ services, url }) =>
      services.length === 0 ? `target ${url}` : `targets of ${services.join(", ")}`,
    );
    return [...whose].map(([what, those]) => ({
      of: "targets",
      how: "unanswered",
      ...servicesIn(those),
      source,
      what,
      because: `${those
        .slice(0, NAMED)
        .map(({ url, because }) => `${url}: ${wordsOf(because)}`)
        .join(
          "; ",
        )}${those.length > NAMED ? `; and ${those.length - NAMED} more` : ""} (${failed.length} of ${targets} targets gave no answer)`,
      since: Math.min(...those.map(({ since }) => since)),
    }));
  }

  /** `now`: the moment of the tick that these failures are of, Unix ms. */
  return (tick: Failures, now: number): readonly Gap[] => {
    const gap = (of: GapKind, how: GapReason, part: string, what: string, because: string): Gap => ({
      of,
      how,
      source: `${source} ${part}`,
      what,
      because,
    });
    take(tick, now);
    const since = silentSince(DISCOVERY, now);
    const { discoveryFailed, spoolFailed, dropped, invalidLines, absurd = [], answered = NOBODY } = tick;
    return [
      ...(discoveryFailed === null || since === null
        ? []
        : [
            {
              ...gap(
                "targets",
                "unanswered",
                "discovery",
                "new targets",
                `${wordsOf(discoveryFailed)}; the targets known last are asked`,
              ),
              since,
            },
          ]),
      ...silentTargets(tick, now),
      ...(spoolFailed === null
        ? []
        : [
            gap(
              "storage",
              "unanswered",
              "spool",
              "samples after a restart",
              `${wordsOf(spoolFailed)}; what is measured now is in memory alone`,
            ),
          ]),
      ...(dropped === 0
        ? []
        : [gap("targets", "partial", "memory", "further services", `${dropped} readings had no room`)]),
      ...absurdGaps(absurd, answered),
      ...(invalidLines === 0
        ? []
        : [gap("targets", "partial", "pages", "some series", `${invalidLines} lines of metrics could not be read`)]),
    ];
  };
}

/** The services that silent targets are known to speak of; of one that is known to speak of none, whose they are is not known. */
function servicesIn(silent: readonly FailedTarget[]): Pick<Gap, "services"> {
  const services = [...new Set(silent.flatMap((target) => target.services))];
  return services.length === 0 ? {} : { services };
}

/** Why there was no usable answer, as people say it. */
const WORDS: Readonly<Record<string, string>> = {
  "not-sent": "no connection",
  timeout: "no answer in time",
  aborted: "no answer in time",
  "cut-off": "the answer broke off",
  status: "it answered with an error",
};

const wordsOf = (because: string): string => (Object.hasOwn(WORDS, because) ? (WORDS[because] ?? because) : because);
