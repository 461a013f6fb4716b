export interface Progress {
  /** So many of all are done; `what`: a word on what goes on. */
  readonly step: (done: number, all: number, what?: string) => void;
  /** Draws the bar again, so that a long step shows a life sign. */
  readonly again: () => void;
  /** Wipes the bar. */
  readonly end: () => void;
}

export interface ProgressParts {
  readonly write: (text: string) => void;
  /** Whether somebody looks at a terminal there; without, nothing is written. */
  readonly isTty: boolean;
  /** Monotonic, ms. */
  readonly now: () => number;
}

/** What is done sooner needs no bar. */
const PATIENCE_MS = 2_000;
const REDRAW_MS = 100;
const WIDTH = 24;

/** A bar on standard error, for what takes longer than two seconds. */
export function createProgress({ write, isTty, now }: ProgressParts): Progress {
  const started = now();
  let drawn = Number.NEGATIVE_INFINITY;
  let last = { done: 0, all: 1, what: "" };
  const draw = ({ done, all, what }: typeof last): void => {
    const at = now();
    if (!isTty || at - started < PATIENCE_MS || at - drawn < REDRAW_MS) return;
    drawn = at;
    const filled = Math.round((done / Math.max(1, all)) * WIDTH);
    const left = done === 0 ? "" : `, about ${Math.ceil((((at - started) / done) * (all - done)) / 1000)} s left`;
    write(
      `\r[${"#".repeat(filled)}${".".repeat(WIDTH - filled)}] ${done}/${all}${left}${what === "" ? "" : ` ${what}`}\u001b[K`,
    );
  };
  return {
    step(done, all, what = "") {
      last = { done, all, what };
      draw(last);
    },
    again: () => draw(last),
    end() {
      if (Number.isFinite(drawn)) write("\r\u001b[K");
      drawn = Number.NEGATIVE_INFINITY;
    },
  };
}
