/** Which plans this process is working on at this moment, so that recovery leaves them alone. */
export interface Running {
  has(planId: string): boolean;
  /** Counts one more worker on a plan; the answer counts it off again, once. */
  enter(planId: string): () => void;
}

export function createRunning(): Running {
  const workers = new Map<string, number>();
  return {
    has: (planId) => (workers.get(planId) ?? 0) > 0,
    enter(planId) {
      workers.set(planId, (workers.get(planId) ?? 0) + 1);
      let inside = true;
      return () => {
        if (!inside) return;
        inside = false;
        const left = (workers.get(planId) ?? 0) - 1;
        if (left > 0) workers.set(planId, left);
        else workers.delete(planId);
      };
    },
  };
}
