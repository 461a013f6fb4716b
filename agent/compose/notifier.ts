import type { Notifier } from "../../core/ports.ts";

/**
 * The one port through which people are told. No chat or pager connector stands in this version: every notice is
 * answered as undelivered, with the reason, and so stands in the ledger and on the terminal.
 */
export const terminalNotifier: Notifier = {
  notify: async ({ to }) => ({
    delivered: false,
    detail: `undelivered: no connector for ${to.split(":")[0] ?? to} yet`,
  }),
};
