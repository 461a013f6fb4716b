import { UnshipError } from "../../../core/errors.ts";
import type { Executor, Sources } from "../../../core/ports.ts";

/** A text that people or programs write, with a secret in it; each in a way of its own. */
const WRITTEN: Readonly<Record<string, (secret: string) => string>> = {
  "change cause": (secret) => `kubectl rollout restart deploy/stock --token ${secret} --record=true`,
  author: (secret) => `https://ci:${secret}@git.example.com/stock`,
  "commit message": (secret) => `Use the new account\n\nDB_PASS=${secret}`,
  "author of a commit": (secret) => `dana <https://dana:${secret}@git.example.com>`,
  "message of a commit": (secret) => `Rotate\n\npassword: ${secret}`,
  "path in a commit": (secret) => `deploy/values.yaml?sig=${secret}`,
  "diff of a commit": (secret) => `+  DB_PASS=${secret}`,
  "path of a file": (secret) => `deploy/values.yaml?auth_key=${secret}`,
  "log line": (secret) => `login failed: {"body":"{\\"user\\":\\"dana\\",\\"password\\":\\"${secret}\\"}"}`,
  "log sentence": (secret) => `the password is ${secret}`,
  "span name": (secret) => `GET /orders?sig=${secret}`,
  label: (secret) => `session=${secret}`,
  "named label": (secret) => secret,
  annotation: (secret) => `runbook: mysql -u root -p${secret} orders`,
  "flag name": (secret) => `checkout?api_key=${secret}`,
  "reason of a revision": (secret) => `helm upgrade stock --set db.password=${secret}`,
  "upgrade note": (secret) => `sent bearer ${secret}`,
  "word of an executor": (secret) => `admission webhook said: pass: ${secret}`,
  "warning of an executor": (secret) => `annotation last-applied holds otp-secret=${secret}`,
  "obstacle of an executor": (secret) => `paused by curl -u ops:${secret}`,
  "error of a source": (secret) => `401 from https://reader:${secret}@unleash.example.com`,
};

export const PLACES: readonly string[] = Object.keys(WRITTEN);
/** The secret of one place: no word, and like no other. */
export const secretOf = (place: string): string => `zQ7x${PLACES.indexOf(place)}vK4`;
const secretAt = (place: string): string => WRITTEN[place]?.(secretOf(place)) ?? "";

/** What others wrote at a place. */
export type Written = (place: string) => string;

/** The same sources, in whose answers a secret (or what else `at` gives) stands in each text that others write. */
export function planted(sources: Sources, service: string, at: Written = secretAt): Sources {
  const moment = (to: number) => Math.max(0, to - 1_000);
  return {
    ...sources,
    changes: sources.changes.map((one) => ({
      name: one.name,
      changes: async (window, abort) =>
        (await one.changes(window, abort)).map((change, index) => ({
          ...change,
          author: at("author"),
          message: index % 2 === 0 ? at("change cause") : at("commit message"),
          diff: { files: 1, insertions: 1, deletions: 1, paths: [at("path of a file")] },
        })),
    })),
    commits: [
      {
        name: "forge",
        commits: async () => [
          {
            sha: "9fceb02d0ae598e95dc970b74767f19372d61af8",
            author: at("author of a commit"),
            message: at("message of a commit"),
            files: [at("path in a commit")],
            diff: at("diff of a commit"),
          },
        ],
      },
    ],
    logs: [
      {
        name: "logs",
        search: async ({ window }) => ({
          lines: Array.from({ length: 20 }, (_, index) => ({
            at: moment(window.to) + index,
            service,
            level: "error" as const,
            message: index % 2 === 0 ? at("log line") : at("log sentence"),
            version: "v2.0.0",
          })),
          more: false,
        }),
      },
    ],
    traces: [
      {
        name: "traces",
        spans: async ({ window }) => ({
          spans: [
            {
              traceId: "4be1d02f9a7c3e5d1b8a6f4c2e0d9b7a",
              spanId: "1b8a6f4c2e0d9b7a",
              service,
              name: at("span name"),
              startUs: moment(window.to) * 1_000,
              durationUs: 1_000,
              error: true,
            },
          ],
          more: false,
        }),
      },
    ],
    alerts: [
      {
        name: "alerts",
        alerts: async ({ to }) => [
          {
            fingerprint: "f1",
            status: "firing",
            labels: { alertname: "Errors", service, note: at("label"), api_key: at("named label") },
            annotations: { summary: at("annotation") },
            startsAt: moment(to),
          },
        ],
      },
    ],
    flags: [
      {
        name: "flags",
        flags: async () => [
          { key: at("flag name"), environment: "production", enabled: true, version: "1", services: [service] },
        ],
      },
      {
        name: "more flags",
        flags: async () => {
          throw new UnshipError("source.unavailable", { source: "more flags", reason: at("error of a source") });
        },
      },
    ],
    rollouts: sources.rollouts.map((one) => ({
      name: one.name,
      rollouts: async (abort) =>
        (await one.rollouts(abort)).map((rollout) => ({
          ...rollout,
          revisions: rollout.revisions.map((revision) => ({ ...revision, reason: at("reason of a revision") })),
        })),
    })),
    infrastructure: [
      {
        name: "nodes",
        infrastructure: async ({ to }) => [
          {
            id: "node-1",
            from: "",
            to: "",
            kind: "infrastructure" as const,
            place: "node-1",
            startedAt: moment(to),
            finishedAt: moment(to),
            source: "nodes",
            message: at("upgrade note"),
          },
        ],
      },
    ],
  };
}

/** The same executor, whose words about each target hold a secret, or what else `at` gives. */
export function plantedExecutor(one: Executor, at: Written = secretAt): Executor {
  return {
    ...one,
    inspect: async (target, abort) => ({
      ...(await one.inspect(target, abort)),
      warnings: [at("warning of an executor")],
    }),
    dryRun: async (target, abort) => ({
      ...(await one.dryRun(target, abort)),
      warnings: [at("obstacle of an executor")],
    }),
    execute: async (target, key, abort) => ({
      ...(await one.execute(target, key, abort)),
      detail: at("word of an executor"),
      warnings: [at("warning of an executor")],
    }),
  };
}
