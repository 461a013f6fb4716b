import { describe, expect, it } from "vitest";
import { linesByVersion } from "../../../core/correlation/lines-by-version.ts";
import { newSignatures } from "../../../core/correlation/log-evidence.ts";
import { indexSeries } from "../../../core/correlation/samples.ts";
import { type SeenOfVersions, tellsItsVersion } from "../../../core/correlation/version-signs.ts";
import type { LogLine } from "../../../core/model/evidence.ts";
import type { Finding } from "../../../core/model/finding.ts";
import type { Series } from "../../../core/model/signal.ts";
import { change, emptyCase, line, MINUTE, onsetAt, T0 } from "./fixtures.ts";

const STEP = 15_000;
const onset = onsetAt(T0 + STEP);

/** Requests a second of the whole service, and of its new version: its share grows evenly over two minutes. */
const rates = (byVersion: boolean): readonly Series[] => {
  const of = (labels: Readonly<Record<string, string>>, value: (i: number) => number): Series => ({
    service: "cart",
    metric: "request_rate",
    unit: "req/s",
    worse: "either",
    labels,
    startAt: T0 - 10 * MINUTE,
    stepMs: STEP,
    values: Array.from({ length: 61 }, (_, i) => value(i - 40)),
  });
  const fresh = of({ version: "v1.1.0" }, (i) => (i <= 0 ? 0 : Math.min(100, (100 * i) / 8)));
  return byVersion ? [of({}, () => 100), fresh] : [of({}, () => 100)];
};

/** Lines of a version, one at each of these seconds after the rollout began. */
const written = (version: string, seconds: readonly number[], message = "panic in handler"): readonly LogLine[] =>
  seconds.map((second) => line(T0 + second * 1000, message, { version }));

const nats = (logs: readonly LogLine[], byVersion = true): number => {
  const index = indexSeries(rates(byVersion), "version");
  return linesByVersion(change(), newSignatures(logs, onset, STEP, new Set(["cart", "bank"])), index);
};

describe("lines by version", () => {
  const spread = [20, 35, 50, 65];
  it("tell a version that alone writes them in step after step, while both serve", () => {
    expect(nats(written("v1.1.0", spread))).toBeGreaterThan(Math.log(3));
  });

  const ROWS: readonly (readonly [string, readonly LogLine[], boolean])[] = [
    ["where the old version writes them too", [...written("v1.1.0", spread), ...written("v1.0.0", [21, 36, 51])], true],
    ["where nobody measures which version serves what", written("v1.1.0", spread), false],
    ["where they come from the first moments of one pod alone", written("v1.1.0", [16, 18, 20, 22, 24, 26]), true],
    ["once nobody else could have written them", written("v1.1.0", [130, 145, 160, 175]), true],
    ["where they complain of a connection", written("v1.1.0", spread, "dial tcp: no route to host"), true],
    ["where they name somebody else", written("v1.1.0", spread, "bank answered late"), true],
  ];
  it.each(ROWS)("tell none %s", (_, logs, byVersion) => {
    expect(nats(logs, byVersion)).toBeLessThan(Math.log(3));
  });
});

const unready = (detector: Finding["detector"]): Finding => ({
  detector,
  service: "cart",
  metric: "health_check_failures",
  labels: {},
  unit: "count",
  verdict: "worse",
  onset,
  detectedAt: onset.at,
  baseline: 0,
  current: 2,
  samples: 3,
  strength: 10,
  because: "pods are not ready",
});

const seen = (findings: readonly Finding[]): SeenOfVersions => ({
  caseFile: emptyCase({ findings }),
  onset,
  signatures: [],
  index: indexSeries([], "version"),
  worse: new Map(),
});
const reason = (name: string, logOdds: number) => ({ name, logOdds, sentence: name });

describe("what tells a version", () => {
  it.each([
    ["both versions side by side", change(), [reason("versions", 3)], [], true],
    ["a few requests of both, side by side", change(), [reason("versions", 1.4)], [], false],
    ["both compared, and more than its share", change(), [reason("canary", 2), reason("share", 1.1)], [], true],
    ["its new revision does not become ready", change(), [], [unready("rollout")], true],
    ["pods are unready, of whichever version", change(), [], [unready("health")], false],
    ["its time and place", change(), [reason("timing", 3), reason("place", 2), reason("logs", 2)], [], false],
    ["growth over a rollout of a minute", change({ finishedAt: T0 + MINUTE }), [reason("growth", 1.6)], [], false],
    ["growth over a rollout of four", change({ finishedAt: T0 + 4 * MINUTE }), [reason("growth", 1.59)], [], true],
    [
      "growth that chance shows in one rollout of twenty",
      change({ finishedAt: T0 + 4 * MINUTE }),
      [reason("growth", 1.4)],
      [],
      false,
    ],
    ["a line with a flag's key of several words", change({ flag: "new-pricing" }), [reason("logs", 2.5)], [], true],
    ["a line with a key that is a word of its own", change({ flag: "ledger" }), [reason("logs", 2.5)], [], false],
  ])("%s: %#", (_, one, reasons, findings, tells) => {
    expect(tellsItsVersion(one, reasons, seen(findings))).toBe(tells);
  });
});
