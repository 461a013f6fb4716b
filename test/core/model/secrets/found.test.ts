import { describe, expect, it } from "vitest";
import { redactSecrets } from "../../../../core/model/secrets/redact.ts";
import { FORMS, type Form, filled, numbers } from "./filled.ts";

const SEEDS = [1, 2, 3, 4, 5];

/** Secrets of which three characters or more are left in the text; two may stand in any word. */
function missed({ form }: Form, seed: number): readonly string[] {
  const { line, secrets } = filled(form, numbers(seed));
  const safe = redactSecrets(line);
  return secrets
    .filter((secret) => secret.length >= 3 && safe.includes(secret))
    .map((secret) => `${secret} in ${safe}`);
}

describe("S10: secrets of others, as other projects write them", () => {
  it("is measured on at least 300 lines, of at least five projects", () => {
    expect(FORMS.length).toBeGreaterThan(300);
    expect(new Set(FORMS.map(({ source }) => source.split(/[@ ]/)[0])).size).toBeGreaterThan(5);
  });

  it("hides at least 98 of 100", () => {
    const lines = SEEDS.flatMap((seed) => FORMS.map((form) => missed(form, seed)));
    const hidden = lines.filter((left) => left.length === 0).length;
    expect(hidden / lines.length, lines.flat().slice(0, 40).join("\n")).toBeGreaterThanOrEqual(0.98);
  });

  it("hides each form that was reported as missed, whatever the secret", () => {
    const reported = FORMS.filter(({ source }) => source.startsWith("form reported"));
    expect(reported.length).toBeGreaterThan(10);
    expect(SEEDS.flatMap((seed) => reported.flatMap((form) => missed(form, seed)))).toEqual([]);
  });

  it.each([
    ["DB_PASS=hunter2", "DB_PASS=[redacted]"],
    ["pass: hunter2", "pass: [redacted]"],
    ["mysqldump --password hunter2 orders", "mysqldump --password [redacted] orders"],
    ["mysql -u root -phunter2 orders", "mysql -u root -p[redacted] orders"],
    ["GET /a?sv=1&sig=Zm9vYmFy1%2Bx%3D&b=2", "GET /a?sv=1&sig=[redacted]&b=2"],
    ["GET /a?auth_key=k3y-1&b=2", "GET /a?auth_key=[redacted]&b=2"],
    ["session=8f14e45fceea167a", "session=[redacted]"],
    ["otp=492817", "otp=[redacted]"],
    ["sent bearer AbCdEfGhIj", "sent bearer [redacted]"],
    ["the password is hunter2.", "the password is [redacted]."],
    [
      '{"a":"{\\"b\\":{\\"token\\":\\"x1\\",\\"c\\":1}}"}',
      '{"a":"{\\"b\\":{\\"token\\":\\"[redacted]\\",\\"c\\":1}}"}',
    ],
    ['{\\\\\\"password\\\\\\":\\\\\\"hunter2\\\\\\"}', '{\\\\\\"password\\\\\\":\\\\\\"[redacted]\\\\\\"}'],
    [
      "kubectl rollout restart deploy/a --token abc123 --v 2",
      "kubectl rollout restart deploy/a --token [redacted] --v 2",
    ],
    ["pass\u200bword=hunter2", "password=[redacted]"],
    ["\u001b[31mtoken=hunter2\u001b[0m", "token=[redacted]"],
  ])("%s", (text, safe) => {
    expect(redactSecrets(text)).toBe(safe);
    expect(redactSecrets(safe)).toBe(safe);
  });

  it("leaves redacted text as it is", () => {
    for (const form of FORMS) {
      const once = redactSecrets(filled(form.form, numbers(1)).line);
      expect(redactSecrets(redactSecrets(once))).toBe(redactSecrets(once));
    }
  });
});
