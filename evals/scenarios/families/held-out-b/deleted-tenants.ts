import type { Family } from "../../family.ts";
import { sharedDatabase } from "../../stories.ts";
import { HOUR, MINUTE } from "../../world/model.ts";

/**
 * A clean-up job is given the wrong list and deletes live tenants, one after another, for 5 to 23 minutes. The database answers as
 * fast as ever; the services that read it find nothing for those tenants, and only their users are hurt. No machine can take
 * it back: the data must be restored. Atlassian, "Post-Incident Review on the April 2022 outage" (883 sites in 23 minutes). There it was
 * 0.2 % of the tenants, which nobody's error rate shows; tenants differ in size by orders of magnitude, here 3 to 30 % of the requests.
 */
export const deletedTenants: Family = {
  name: "deleted-tenants",
  faulty: true,
  wishes: { store: true, crowd: [1, 4], watchMinutes: [45, 65] },
  plot: (stage) => {
    const { draw, system } = stage;
    const store = sharedDatabase(stage);
    const begun = stage.change("migration", store, stage.moment, { reversible: false, message: "Remove retired app" });
    const rampMs = draw.uniform(5, 23) * MINUTE;
    const migration = { ...begun, finishedAt: Math.round(begun.startedAt + rampMs) };
    const share = draw.logUniform(0.03, 0.3);
    const readers = system.calls.filter(({ callee, perRequest }) => callee === store.name && perRequest > 0.1);
    const before = draw.pick(stage.callersOf(store.name));
    return {
      why: "the job deleted live tenants; what it deleted must be restored, by people",
      changes: [
        migration,
        ...(draw.chance(0.6) ? [stage.change("deploy", before, stage.moment - draw.uniform(6, 20) * MINUTE)] : []),
      ],
      quiet: readers.map(({ caller }) => caller),
      quietFor: HOUR,
      faults: readers.map(({ caller, perRequest }) => ({
        because: migration.id,
        service: caller,
        from: migration.startedAt,
        to: Number.POSITIVE_INFINITY,
        rampMs,
        errors: share * Math.min(1, perRequest),
        signature: "tenant {id} not found: no row in site_settings, request refused",
        main: true,
      })),
    };
  },
};
