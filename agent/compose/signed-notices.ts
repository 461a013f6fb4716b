import type { LedgerHead, Notifier } from "../../core/ports.ts";

/**
 * Sends the ledger's signed head with every notice, so that it stands where whoever could rewrite the ledger cannot
 * reach: in a chat, a pager, the log. What cannot be signed is said in the same place and holds no notice up.
 */
export function withSignedHead(
  notifier: Notifier,
  head: () => Promise<LedgerHead>,
  sign: (head: LedgerHead) => string,
): Notifier {
  return {
    async notify(notice) {
      let signed: string;
      try {
        signed = sign(await head());
      } catch {
        signed = "could not be signed: the ledger's end cannot be read";
      }
      const answer = await notifier.notify({ ...notice, lines: [...notice.lines, `Ledger head: ${signed}`] });
      // The terminal and the daemon's log show the detail, whoever was told.
      return { ...answer, detail: `${answer.detail}; ledger head ${signed}` };
    },
  };
}
