/** Failed health checks that need not be consecutive (`conditions[].consecutive: false`) are counted over this span, ms. */
export const HEALTH_SPAN_MS = 300_000;
