import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanDeep, cleanText, name, quote, redactSecrets } from "../../../core/model/untrusted-text.ts";

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";

const SECRET = "a1B2c3D4e5F6a7B8c9D0";

describe("secrets in text from outside", () => {
  it.each<[what: string, text: string, secret: string]>([
    ["an Authorization header", "GET / Authorization: Bearer abc.def-123456", "abc.def-123456"],
    ["a header as JSON", '{"authorization":"Basic dXNlcjpwYXNz"}', "dXNlcjpwYXNz"],
    ["a bare bearer token", "sent bearer 0123456789abcdef", "0123456789abcdef"],
    ["a cookie", "Set-Cookie: sid=s3cr3tvalue; HttpOnly", "s3cr3tvalue"],
    ["a JWT", `token is ${JWT}.`, "dozjgNryP4J3"],
    ["an AWS key id", "using AKIAIOSFODNN7EXAMPLE now", "AKIAIOSFODNN7EXAMPLE"],
    ["an AWS secret", "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"],
    ["a private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----", "MIIEow"],
    ["a private key that was cut", "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r", "b3BlbnNzaC1r"],
    ["a password in a URL", "connect postgres://app:hunter2@db:5432/x failed", "hunter2"],
    ["a password without a user in a URL", "redis://:hunter2@cache:6379", "hunter2"],
    ["key=value", "login password=hunter2 user=dana", "hunter2"],
    ["a quoted value", 'api_key: "ab cd ef"', "ab cd ef"],
    ["JSON", '{"client_secret":"hunter2","a":1}', "hunter2"],
    ["an environment variable", "DB_PASSWORD=hunter2", "hunter2"],
    ["a GitHub token", `ghp_${"a1B2".repeat(9)}`, "a1B2a1B2"],
    ["a GitLab token", "glpat-abcdefghij1234567890", "abcdefghij1234567890"],
    ["a Slack token", "xoxb-123456789012-abcdef", "123456789012-abcdef"],
    ["an API key by its prefix", "sk-ant-api03-abcdefghijklmnop1234", "abcdefghijklmnop1234"],
    ["a Google key", `AIza${"x".repeat(35)}`, "x".repeat(35)],
    ...[
      "hf_",
      "dop_v1_",
      "pypi-",
      "dckr_pat_",
      "hvs.",
      "glsa_",
      "NRAK-",
      "shpat_",
      "xapp-1-",
      "sntryu_",
      "lin_api_",
    ].map((prefix): [string, string, string] => [`a token of ${prefix}`, `sent ${prefix}${SECRET}`, SECRET]),
    ...["rubygems_", "PMAK-", "ATATT3", "ya29.", "GOCSPX-", `SG.${SECRET}.`].map((prefix): [string, string, string] => [
      `a token of ${prefix}`,
      `sent ${prefix}${SECRET}`,
      SECRET,
    ]),
    ["one hidden behind a zero-width space", "pass\u200bword=hunter2", "hunter2"],
    ["one in full-width letters", "ｐａｓｓｗｏｒｄ=hunter2", "hunter2"],
  ])("%s is redacted", (_, text, secret) => {
    const clean = cleanText(text);
    expect(clean).toContain("[redacted");
    expect(clean).not.toContain(secret);
  });

  it.each([
    "error_rate rose from 0.21 % to 31.2 % over 24 samples",
    "deploy-checkout-7 of checkout v1.4.1 → v1.4.2",
    "NullPointerException at CartTotal.java:42",
    "https://grafana.internal/d/abc?from=1&to=2",
    "error_rate > 0.05 for 3m",
    "basic authentication failed for the bearer",
    "used 5,480 tokens: too many",
    "pypi-mirror and hf_hub are slow",
    "SG.eu-west-1 is down",
    "4be1d02f9a7c3e5d1b8a6f4c2e0d9b7a5c3e1f0d",
  ])("%s is left as it is", (text) => {
    expect(redactSecrets(text)).toBe(text);
  });
});

describe("text from outside", () => {
  it.each<[string, string, string]>([
    ["terminal escapes go whole", "a\u001b[31mred\u001b[0m \u001b]0;title\u0007b", "ared b"],
    ["other controls go", "a\u0000b\u0008c\u009bd", "abcd"],
    ["text direction cannot be turned", "a\u202eb\u2066c", "abc"],
    ["tag characters go", "a\u{e0041}\u{e0042}b", "ab"],
    ["variation selectors go", "a\ufe0fb\u{e0101}c", "abc"],
    ["line feed and tab stay", "a\r\nb\tc", "a\nb\tc"],
    ["compatibility forms fold", "ｉｇｎｏｒｅ ﬁrst", "ignore first"],
    ["a lone surrogate becomes the replacement character", "a\ud800b", "a\ufffdb"],
  ])("%s", (_, text, clean) => {
    expect(cleanText(text)).toBe(clean);
  });

  it("is cut with a note of what was left out, and a huge one costs no more than a page", () => {
    expect(cleanText("x".repeat(1_000), 10)).toBe(`${"x".repeat(10)}... (990 more characters)`);
    expect(cleanText("password=a ".repeat(1_000_000), 20)).toMatch(/^password=\[redacted\].*\(\d+ more characters\)$/);
  });

  const hostile = fc.string({ unit: "binary", maxLength: 200 });

  it("cannot leave its fence", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(quote(text)).toMatch(/^«[^«»\n]*»$/u);
        expect(quote(`« ${text} »`)).toMatch(/^«[^«»\n]*»$/u);
      }),
    );
  });

  it("cleaned twice is cleaned once", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(cleanText(cleanText(text, 100_000), 100_000)).toBe(cleanText(text, 100_000));
      }),
    );
  });

  it("is a name only where it looks like one; anything else is quoted", () => {
    for (const plain of ["deploy-7", "production/checkout", "v1.4.2+build", "a:b@c"]) expect(name(plain)).toBe(plain);
    for (const odd of ["two words", "a\nb", "", "x".repeat(300), "<b>", "AKIAIOSFODNN7EXAMPLE"])
      expect(name(odd)).toMatch(/^«.*»$/);
  });

  it("is cleaned at any depth, keys too", () => {
    expect(cleanDeep({ "a\u0000": [{ b: "password=x1" }, 1, null, true] })).toEqual({
      a: [{ b: "password=[redacted]" }, 1, null, true],
    });
  });

  it("is cut also where it came before in full", () => {
    const text = "a plain sentence that came before";
    expect(cleanText(text, 100)).toBe(text);
    expect(cleanText(text, 7)).toBe("a plain... (26 more characters)");
  });

  it("with nothing to clean in it is given back as it is; with anything, a clean copy and the original untouched", () => {
    const dirty = fc.constantFrom("a\u0000b", "token=abc123", "\u202eevil", "ｆｕｌｌ");
    const text = fc.oneof(fc.stringMatching(/^[a-z ]{0,20}$/), dirty);
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof({ maxDepth: 4 }, text, fc.integer(), fc.array(tie("tree")), fc.dictionary(text, tie("tree"))),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const before = JSON.stringify(value);
        const clean = cleanDeep(value);
        expect(JSON.stringify(value)).toBe(before);
        expect(cleanDeep(clean)).toBe(clean);
        expect(JSON.stringify(clean)).not.toMatch(/\\u0000|abc123|\u202e|ｆ/);
        if (JSON.stringify(clean) === before) expect(clean).toBe(value);
      }),
    );
  });

  it("of any depth costs one pass", () => {
    let nested: unknown = "a\u0000";
    for (let depth = 0; depth < 500; depth += 1) nested = { nested };
    expect(JSON.stringify(cleanDeep(nested))).not.toContain("u0000");
  });
});
