import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Incident } from "../../core/model/incident.ts";
import type { Ledger } from "../../core/ports.ts";
import type { WatchProcess } from "../../evals/demo/watch-process.ts";
import { kubeconfigFor } from "../../evals/sandbox/kube/kubeconfig.ts";
import { build, FLAG } from "../../evals/sandbox/shop.ts";
import { openSqliteLedger } from "../../knowledge/ledger/sqlite.ts";
import { type ApiProxy, startApiProxy } from "./api-proxy.ts";
import { eventually, lineOf, openShop, type Shop, story, warmUp } from "./shop.ts";

const ROW_MS = 600_000;
/** What a busy machine does to latencies lasts as long as whatever keeps it busy. */
const CALM_MS = 300_000;
/** Many incidents in a row are this test's doing, so no budget may hold one. */
const ENOUGH = 1000;

/** When the watch dies: as it says this, or as its undo is on the wire. */
export type Moment = { readonly says: string } | { readonly wire: "before the API" | "after the API" };

/** Which service breaks, when that is in words, and the moment. */
export type Kill = readonly [service: string, when: string, at: Moment];

/**
 * The test of a watch that dies once in each of these incidents, one after the other in one shop, and is started again.
 * `flag`: then once more, in the incident of a flag, when that is off and the verification begins.
 */
export function describeKilledWatch(kills: readonly Kill[], { flag = false } = {}): void {
  describe("a watch that is killed with SIGKILL and started again", () => {
    let shop: Shop;
    let proxy: ApiProxy;
    let ledger: Ledger;
    const watches: WatchProcess[] = [];
    let releases = 0;

    const current = () => watches.at(-1) ?? expect.fail("no watch was started");
    const tale = () => story(watches, shop.directory);
    const start = async () => void watches.push(await shop.watch());

    beforeAll(async () => {
      shop = await openShop({
        async edit(config, { sandbox, directory, own }) {
          proxy = own.use(await startApiProxy(new URL(sandbox.endpoints.kubernetes)));
          const kubeconfig = join(directory, "kubeconfig");
          writeFileSync(kubeconfig, kubeconfigFor(proxy.url), { mode: 0o600 });
          config.setIn(["data_sources", "deployments", "kubeconfig"], kubeconfig);
          config.setIn(["execution", "allowed_actions", 0, "max_rollbacks_per_hour"], ENOUGH);
          config.setIn(["execution", "guardrails", "max_auto_rollbacks_per_day"], ENOUGH);
          config.setIn(["execution", "guardrails", "escalate_to_human_after"], ENOUGH);
          const recommend = ["reasoning_chain", "on_anomaly_detected", 5, "require_human_approval_if"];
          config.setIn(recommend, "affected_services > 7");
        },
      });
      await start();
      ledger = await openSqliteLedger(shop.ledgerPath);
      await warmUp();
    }, ROW_MS);

    afterAll(async () => {
      await ledger?.close();
      await shop?.[Symbol.asyncDispose]();
    }, ROW_MS);

    /** What a busy machine does to latencies may be an incident of its own: the row begins when none is open. */
    async function calm(): Promise<void> {
      let open: readonly Incident[] = [];
      const isCalm = async () => {
        open = await ledger.incidents({ open: true });
        return open.length === 0 || undefined;
      };
      const stands = ({ id, stage, signals = [] }: Incident) => `${id} is ${stage}, by ${JSON.stringify(signals)}`;
      await eventually(isCalm, () => `${open.map(stands).join("\n")}\n${tale()}`, CALM_MS);
    }

    /** Kills the watch at its moment after `onset`; resolves with the incident that it was at, when it is gone. */
    async function killAt(moment: Moment, onset: number): Promise<string> {
      const watch = current();
      if ("wire" in moment) await proxy.cutNextPatch(moment.wire, () => watch.kill());
      else {
        const fits = ({ event, at }: { readonly event: string; readonly at: string }) =>
          event === moment.says && Date.parse(at) >= onset;
        await lineOf(watch, shop.directory, fits, moment.says);
        await watch.kill();
      }
      return watch.lines.findLast(({ incident }) => incident !== null)?.incident?.id ?? expect.fail(tale());
    }

    /** That the row tests what it says: what was on record when the watch died. */
    async function expectKilledAt(moment: Moment, id: string, writes: number): Promise<void> {
      const kinds = (await ledger.entries({ incidentId: id })).map(({ kind }) => kind);
      if ("wire" in moment) {
        expect(writes, tale()).toBe(moment.wire === "after the API" ? 1 : 0);
        expect(kinds, tale()).toContain("target.attempted");
        expect(kinds, tale()).not.toContain("target.finished");
      } else if (moment.says === "incident.closed") {
        expect((await ledger.incident(id))?.stage, tale()).toBe("closed");
        expect(kinds, tale()).not.toContain("postmortem.written");
      } else if (moment.says === "incident.detected" || moment.says === "incident.decided") {
        expect(kinds, tale()).not.toContain("plan.reserved");
      }
    }

    /** The incident once it is closed, with memory and postmortem done; the only one since `onset` that was acted on. */
    async function finished(id: string, onset: number): Promise<Incident> {
      const closed = await eventually(async () => {
        const done = await ledger.entries({ incidentId: id, kinds: ["incident.finished"] });
        return done.length > 0 ? ((await ledger.incident(id)) ?? undefined) : undefined;
      }, tale);
      const acted = (await ledger.incidents({ open: false, limit: 50 })).filter(
        ({ gate }) => gate?.executedAt != null && gate.executedAt >= onset,
      );
      expect(
        acted.map((one) => one.id),
        tale(),
      ).toEqual([id]);
      return closed;
    }

    /** That this incident ended as if nobody had been killed, by the sandbox's record and by the ledger. */
    async function expectRecovered(incident: Incident, culprit: string, writtenBefore: number): Promise<void> {
      expect(incident.outcome, tale()).toBe("recovered");
      expect(incident.decision?.culprit?.changeId, tale()).toContain(culprit);
      const writes = shop.foreignWrites().slice(writtenBefore);
      expect(writes, tale()).toHaveLength(1);
      expect(writes[0]?.path.split(/[/?]/), tale()).toContain(culprit);
      const [written] = await ledger.entries({ incidentId: incident.id, kinds: ["postmortem.written"] });
      const path = (written?.body as { readonly path?: string } | undefined)?.path ?? "";
      expect(existsSync(path), `no postmortem at "${path}"\n${tale()}`).toBe(true);
      expect(readFileSync(path, "utf8")).toContain(culprit);
      const audit = await shop.unship(["audit", "verify", "--config", shop.config]);
      expect(audit, audit.out + audit.err).toMatchObject({ code: 0 });
    }

    it.each(kills)(
      "ends the incident of %s as it would have, killed when %s",
      async (service, _, moment) => {
        const before = shop.foreignWrites().length;
        const version = `1.2.${releases}`;
        releases += 1;
        const message = `TypeError: ${service} ${version} cannot read properties of undefined`;
        await calm();
        shop.sandbox.push(build(service, version, [{ kind: "throws", share: 0.35, message }]));
        const onset = await shop.sandbox.deploy(service, version, "ana");
        const id = await killAt(moment, onset);
        await expectKilledAt(moment, id, shop.foreignWrites().length - before);
        await start();
        await expectRecovered(await finished(id, onset), service, before);
        await shop.sandbox.steady();
      },
      ROW_MS,
    );

    if (flag) {
      it(
        "ends the incident of a flag as it would have, killed when the flag is off and the verification begins",
        async () => {
          const before = shop.foreignWrites().length;
          await calm();
          const onset = await shop.sandbox.setFlag(FLAG.name, true, "fay");
          const id = await killAt({ says: "plan.executed" }, onset);
          await start();
          const incident = await finished(id, onset);
          expect(incident.decision?.action, tale()).toBe("feature_flag_disable");
          await expectRecovered(incident, FLAG.name, before);
        },
        ROW_MS,
      );
    }
  });
}
