import { escapeControls } from "../../../core/model/untrusted-text.ts";
import type { Notice } from "../../../core/ports.ts";

/** Longest text of a section, of a header, and value of a button (Block Kit reference). */
const SECTION_CHARS = 3000;
const HEADER_CHARS = 150;
const SECTIONS = 40;
/** Of a plan; the rest is for why it waits. */
const DIFF_LINES = 30;

const cut = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

/**
 * All of it is plain text: what others wrote can mention nobody, link nowhere, format nothing and begin no line of its own
 * (S11).
 */
const plain = (text: string, most: number) =>
  ({ type: "plain_text", text: cut(escapeControls(text), most), emoji: false }) as const;
const section = (text: string) => ({ type: "section", text: plain(text, SECTION_CHARS) }) as const;
const sections = (lines: readonly string[]) => lines.filter((line) => line.trim() !== "").map(section);

/** In `text`, which older clients and notifications show, these three have a meaning of their own. */
const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/**
 * A notice as a message for `chat.postMessage`; one that asks for an answer shows what is degraded, then the plan as a diff, and
 * last two buttons, which carry the plan's id and the hash of what is shown. A plan that is too long for one message has
 * no buttons: nobody answers here for what they were not shown (S4).
 *
 * @param buttons whether presses can reach us
 * @see https://docs.slack.dev/reference/block-kit/blocks
 * @see https://docs.slack.dev/messaging/formatting-message-text#escaping
 */
export function messageOf(notice: Notice, channel: string, buttons: boolean) {
  const { title, symptom, lines, asks } = notice;
  const diff = asks?.diff ?? [];
  const isWhole = diff.length <= DIFF_LINES && diff.every((line) => escapeControls(line).length <= SECTION_CHARS);
  const shown = isWhole ? diff : [`${asks?.planId} is too long to be shown here: read and answer it elsewhere.`];
  const degraded = symptom === undefined ? [] : sections([symptom]);
  const why = within(sections(lines), SECTIONS - shown.length - degraded.length);
  return {
    channel,
    text: escaped(cut(escapeControls(title), SECTION_CHARS)),
    mrkdwn: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: "header", text: plain(title, HEADER_CHARS) },
      ...degraded,
      ...sections(shown),
      ...why,
      ...(asks === undefined || !buttons || !isWhole ? [] : [answers(asks)]),
    ],
  };
}

type Section = ReturnType<typeof section>;

/** The first of them and the last, which carries the ledger's signed head; how many are left out is said between. */
function within(all: readonly Section[], most: number): readonly Section[] {
  if (all.length <= most) return all;
  return [...all.slice(0, most - 2), section(`${all.length - most + 1} lines are left out here.`), ...all.slice(-1)];
}

function answers({ planId, planHash }: NonNullable<Notice["asks"]>) {
  const value = JSON.stringify({ plan: planId, hash: planHash });
  const button = (action: string, text: string, style: string) => ({
    type: "button",
    action_id: action,
    text: plain(text, 75),
    style,
    value,
    confirm: {
      title: plain(`${text} this plan?`, 100),
      text: plain(`${text} ${planId}, as it is described here.`, 300),
      confirm: plain(text, 30),
      deny: plain("Not now", 30),
    },
  });
  return {
    type: "actions",
    elements: [button("unship.approve", "Approve", "primary"), button("unship.reject", "Reject", "danger")],
  };
}
