import { describe, expect, it } from "vitest";
import { z } from "zod";
import { incident } from "../../knowledge/incidents.ts";
import { callTool } from "../call-tool.ts";
import { context } from "../scenario.ts";

const drafting = (markdown: string) => {
  const base = context({ draft: async ({ id }) => `# Postmortem of ${id}\n${markdown}` });
  return {
    ...base,
    ledger: { ...base.ledger, incident: async (id: string) => (id === incident.id ? incident : null) },
  };
};

const KEY = ["-----BEGIN PRIVATE KEY-----", "MIIEvQIBADANBg", "kqhkiG9w0BAQEF", "-----END PRIVATE KEY-----"].join("\n");

describe("draft_postmortem", () => {
  it("gives the draft of an incident, secrets hidden", async () => {
    const { structured } = await callTool(drafting(`token=abcdefgh12345678\n${KEY}`), "draft_postmortem", {
      incident: incident.id,
    });
    expect(structured).toMatchObject({
      markdown: [`# Postmortem of ${incident.id}`, "token=[redacted]", "[redacted private key]"],
      more: null,
    });
  });

  it("gives a long one in pages of whole lines", async () => {
    const lines = Array.from({ length: 1_000 }, (_, index) => `- line ${index} ${"word ".repeat(20)}`.trim());
    const context = drafting(lines.join("\n"));
    const seen: string[] = [];
    let cursor: unknown;
    do {
      const args = { incident: incident.id, ...(cursor ? { cursor } : {}) };
      const { structured, text } = await callTool(context, "draft_postmortem", args);
      expect(Buffer.byteLength(text) / 3).toBeLessThanOrEqual(10_000);
      seen.push(...z.array(z.string()).parse(structured?.markdown));
      cursor = structured?.more;
    } while (cursor !== null);
    expect(seen.slice(1)).toEqual(lines);
  });

  it("says how to find an incident that exists", async () => {
    const { text, isError } = await callTool(drafting(""), "draft_postmortem", { incident: "inc-0" });
    expect({ isError, text }).toEqual({ isError: true, text: expect.stringContaining("Call search_incidents") });
  });
});
