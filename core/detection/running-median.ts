/** The median of what was added so far, kept while values come: no selecting anew for each. Finite numbers, any unit. */
export interface RunningMedian {
  /** O(log n) to find its place, and one move in memory. */
  add(value: number): void;
  /** The middle value, as `median` gives it; NaN of nothing. O(1). */
  middle(): number;
}

export function createRunningMedian(): RunningMedian {
  const ordered: number[] = [];
  return {
    add(value) {
      let low = 0;
      let high = ordered.length;
      while (low < high) {
        const half = (low + high) >> 1;
        if ((ordered[half] ?? value) < value) low = half + 1;
        else high = half;
      }
      ordered.splice(low, 0, value);
    },
    middle() {
      const place = (ordered.length - 1) / 2;
      const low = ordered[Math.floor(place)] ?? Number.NaN;
      const high = ordered[Math.ceil(place)] ?? Number.NaN;
      return low + (high - low) * (place - Math.floor(place));
    },
  };
}
