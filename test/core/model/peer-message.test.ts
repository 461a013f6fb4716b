import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { messageIn, peerMessage, withSaid } from "../../../core/model/peer-message.ts";

describe("what a peer says of its failure", () => {
  it.each([
    [
      "Prometheus",
      '{"status":"error","errorType":"bad_data","error":"1:7: parse error: unexpected \\"x\\""}',
      "«1:7: parse error: unexpected 'x'»",
    ],
    ["Kubernetes", '{"kind":"Status","message":"pods is forbidden","reason":"Forbidden"}', "«pods is forbidden»"],
    ["Argo CD", '{"error":"permission denied","code":7,"message":"permission denied"}', "«permission denied»"],
    ["Flagsmith", '{"detail":"Invalid token."}', "«Invalid token.»"],
    ["Unleash", '{"name":"BadDataError","details":[{"message":"no such project"}]}', "«no such project»"],
    [
      "OpenAI",
      '{"error":{"message":"Incorrect API key provided","type":"invalid_request_error"}}',
      "«Incorrect API key provided»",
    ],
    ["Anthropic", '{"type":"error","error":{"type":"not_found_error","message":"model: x"}}', "«model: x»"],
    ["a proxy", "<html><head><title>502 Bad Gateway</title></head></html>", "«502 Bad Gateway»"],
    ["a page without a title", "<html>no</html>", null],
    ["plain text", "no healthy upstream\n", "«no healthy upstream»"],
    ["nothing", "", null],
    ["an object without a word", '{"code":7}', null],
  ])("%s", (_, body, said) => {
    expect(messageIn(body)).toBe(said);
  });

  it("S11: whatever it writes stays within one fence on one line", () => {
    const mean = fc.string({
      unit: fc.constantFrom("«", "»", '"', "\n", "\u001b", "\u202e", "x", " ", "「"),
      maxLength: 300,
    });
    fc.assert(
      fc.property(fc.oneof(mean, fc.string()), (text) => {
        const said = peerMessage(text);
        if (said !== null) expect(withSaid("status 400", said)).toMatch(/^status 400, saying «[^«»"\p{Cc}\p{Cf}]*»$/u);
        const inJson = messageIn(JSON.stringify({ error: { message: text } }));
        if (inJson !== null) expect(inJson).toMatch(/^«[^«»"\p{Cc}\p{Cf}]*»$/u);
      }),
    );
  });

  it("S10: a secret that it repeats is redacted", () => {
    expect(messageIn('{"message":"bad password=hunter2-very-secret"}')).not.toContain("hunter2");
  });
});
