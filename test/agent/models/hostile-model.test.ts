import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { anthropicModel } from "../../../agent/models/anthropic.ts";
import { openaiModel } from "../../../agent/models/openai.ts";
import { toolArguments } from "../../../agent/models/tool-arguments.ts";

const request = { system: "s", tools: [], messages: [{ role: "user", text: "?" }], maxOutputTokens: 500 } as const;
const never = new AbortController().signal;
const PATIENCE = { tries: 1, firstWaitMs: 1, longestWaitMs: 1, wait: async () => {} };

/** What people read where the model's server answers so; and how many bytes it got rid of. */
async function answered(vendor: "anthropic" | "openai", status: number, type: string, first: string, block: string) {
  let sent = 0;
  const pour = async (response: ServerResponse) => {
    response.writeHead(status, { "content-type": type });
    response.write(first);
    while (!response.destroyed && sent < 512 * 1024 * 1024) {
      sent += block.length;
      if (response.write(block)) continue;
      await new Promise<void>((resolve) => {
        const go = () => {
          response.off("drain", go).off("close", go);
          resolve();
        };
        response.on("drain", go).on("close", go);
      });
    }
    response.end();
  };
  const server = createServer((asked, response) => {
    asked.resume();
    response.on("error", () => {});
    void pour(response);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const make = vendor === "openai" ? openaiModel : anthropicModel;
  try {
    const model = make({ model: "m", apiKey: "k", baseUrl, timeoutMs: 60_000, patience: PATIENCE });
    const error = await model.reply(request, never).catch((cause: Error) => cause);
    return { text: error instanceof Error ? error.message : "it answered", sent };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const STREAM = "text/event-stream";
const BLOCK = "x".repeat(65_536);

describe.each(["anthropic", "openai"] as const)("S12: %s, whose server means ill", (vendor) => {
  it.each([
    ["an event without end", 200, STREAM, 'data: {"a":"', BLOCK, /1 MiB in one event/],
    ["levels without end", 200, STREAM, "data: ", "[".repeat(65_536), /100 levels of JSON/],
    ["values without end", 200, STREAM, "data: [", "[],".repeat(20_000), /100,000 values in one event/],
    ["comments without end", 200, STREAM, "", `: ${BLOCK}\n`, /16 MiB/],
    ["a refusal without end", 400, "application/json", '{"error":"', BLOCK, /status 400/],
  ])(
    "%s",
    async (_, status, type, first, block, limit) => {
      const { text, sent } = await answered(vendor, status, type, first, block);
      expect(text).toMatch(limit);
      expect(sent).toBeLessThan(48 * 1024 * 1024);
    },
    120_000,
  );
});

describe("arguments of a call", () => {
  it("that nest without end are none", () => {
    expect(toolArguments(`{"a":${"[".repeat(200_000)}${"]".repeat(200_000)}}`)).toBeNull();
  });
});
