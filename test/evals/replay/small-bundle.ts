import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const START = Date.parse("2026-01-01T10:00:00Z");
const STEP = 15;
export const time = (minutes: number): string => new Date(START + minutes * 60_000).toISOString();

export interface SmallBundle {
  readonly id: string;
  /** When the one deploy's errors begin, minutes after the watch starts; absent: never. */
  readonly brokenAt?: number;
  readonly truth?: boolean;
}

/** A shop of two services, an hour of history and twenty minutes of watch, one deploy at the eighth. Returns its folder. */
export function writeSmallBundle(parent: string, { id, brokenAt, truth = true }: SmallBundle): string {
  const directory = join(parent, id);
  mkdirSync(directory);
  const count = (80 * 60) / STEP;
  const values = (of: (minutes: number, i: number) => number) =>
    Array.from({ length: count + 1 }, (_, i) => of((i * STEP) / 60 - 60, i));
  const broken = (minutes: number) => brokenAt !== undefined && minutes > brokenAt;
  const base = { start: START / 1000 - 3600, step: STEP };
  const signal = (service: string, metric: string, unit: string, of: (minutes: number, i: number) => number) =>
    JSON.stringify({ service, metric, unit, ...base, values: values(of) });
  const file = (name: string, text: string) => writeFileSync(join(directory, name), text);
  file(
    "incident.json",
    JSON.stringify({
      schema: 1,
      id,
      title: `shop ${id}`,
      watch: { start: time(0), end: time(20) },
      services: ["web", "cart"].map((name) => ({ name, namespace: "production", criticality: "medium" })),
    }),
  );
  file(
    "series.jsonl",
    [
      ...["web", "cart"].map((service) => signal(service, "request_rate", "req/s", (_, i) => 80 + (i % 5))),
      ...["web", "cart"].map((service) =>
        signal(service, "error_rate", "ratio", (minutes, i) => (broken(minutes) ? 0.2 : 0.001) + (i % 3) / 2000),
      ),
    ].join("\n"),
  );
  file(
    "changes.jsonl",
    JSON.stringify({
      id: "deploy-cart-2",
      kind: "deploy",
      service: "cart",
      from: "v1",
      to: "v2",
      started_at: time(8),
      finished_at: time(9),
      source: "hand",
      reversible: true,
    }),
  );
  file("topology.json", JSON.stringify({ edges: [["web", "cart"]] }));
  if (truth) {
    const faulty = brokenAt !== undefined;
    const action = faulty ? "rollback" : "no_action";
    file(
      "truth.json",
      JSON.stringify({
        family: faulty ? "bad-deploy" : "quiet",
        faulty,
        action,
        acceptable: [action],
        culprit: faulty ? "deploy-cart-2" : null,
        targets: faulty ? ["deploy-cart-2"] : [],
        onset: faulty ? time(brokenAt) : null,
      }),
    );
  }
  return directory;
}

export const temporaryFolder = (): string => mkdtempSync(join(tmpdir(), "unship-replay-"));
