import { describe, expect, it } from "vitest";
import { loaded, problems, SOURCES } from "./fixtures.ts";

const SHA = "A1".repeat(32);

describe("who may call over HTTP", () => {
  it("is this machine alone where the file says nothing", () => {
    expect(loaded(SOURCES).server).toBeUndefined();
  });

  it("is whoever holds a token, by its hash", () => {
    const text = `${SOURCES}server: {tokens: [{name: ada, token_sha256: "${SHA}", read_only: true}], hosts: [u.example]}`;
    expect(loaded(text).server).toEqual({
      tokens: [{ name: "ada", tokenSha256: SHA.toLowerCase(), readOnly: true }],
      hosts: ["u.example"],
      origins: [],
      requestsPerMinute: 120,
    });
  });

  it.each([
    ["a token in place of its hash", 'tokens: [{name: ada, token_sha256: "s3cret"}]', /is no SHA-256/],
    ["a host with a port", 'hosts: ["u.example:80"]', /hosts/],
    ["an origin that is no origin", 'origins: ["u.example/path"]', /origins/],
    ["no requests at all", "requests_per_minute: 0", /requests_per_minute/],
  ])("refuses %s", (_, written, problem) => {
    const found = problems(`${SOURCES}server: {${written}}`);
    expect(found).toEqual([expect.stringMatching(problem)]);
    expect(found[0]).toMatch(/u\.yaml:2/);
  });
});
