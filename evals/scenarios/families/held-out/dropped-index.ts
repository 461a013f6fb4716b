import type { Family } from "../../family.ts";

/**
 * A migration drops an index that looked unused. Some queries scan the table from then on: they are slow and cost far more work, so that
 * the store slows for every service that shares it. Of the changes in sight only the migration is to blame, and undoing it (building
 * the index again) is for people. GitLab.com production incident 2885 (gitlab-com/gl-infra/infrastructure, issue 11868: an index became
 * unusable, one query of a hot path scanned). A scan of a table of millions of rows takes 0.1 to 3 s.
 */
export const droppedIndex: Family = {
  name: "dropped-index",
  faulty: true,
  wishes: { store: true, crowd: [1, 4] },
  plot: (stage) => {
    const { draw, system } = stage;
    const store = draw.pick(
      system.services.filter(
        ({ tier, name, expectedRate }) =>
          tier === "store" && name.endsWith("-db") && expectedRate > 5 && stage.callersOf(name).length > 1,
      ),
    );
    const migration = stage.change("migration", store, stage.moment, { reversible: draw.chance(0.3) });
    return {
      why: "queries that used the dropped index scan the table; the index must be built again, by people",
      changes: [migration],
      faults: [
        {
          because: migration.id,
          service: store.name,
          from: migration.finishedAt ?? migration.startedAt,
          to: Number.POSITIVE_INFINITY,
          stall: { share: draw.logUniform(0.005, 0.15), ms: Math.round(draw.logUniform(100, 3000)) },
          cpuFactor: draw.uniform(0.5, 1) / store.utilisation,
          signature: "slow query: Seq Scan, {ms}ms, rows examined {id}",
          main: true,
        },
      ],
    };
  },
};
