import type { Routes } from "./shop.ts";

/** Another team's system beside the shop: its own services, callers and data, and nothing of the shop's. */
export const REPORTS: Readonly<Record<string, Routes>> = {
  reports: {
    "GET /daily": { workMs: 4, calls: ["figures GET /rows"] },
    "GET /dashboard": { workMs: 5, calls: ["figures GET /sums"] },
  },
  figures: { "GET /rows": { workMs: 4 }, "GET /sums": { workMs: 6 } },
};
