import { afterAll, beforeAll, describe } from "vitest";
import { serverSideApply } from "./contract/apply.ts";
import { flowControl } from "./contract/flow-control.ts";
import { history } from "./contract/history.ts";
import { lists } from "./contract/lists.ts";
import { patches } from "./contract/patches.ts";
import { type ServerUnderTest, settingOf } from "./contract/setting.ts";
import { writes } from "./contract/writes.ts";

const LONG_MS = 120_000;
const PARTS = [patches, serverSideApply, writes, lists, flowControl, history];

/** What unship, its tests and kubectl rely on of an API server, the same for the real one and for an imitation of it. */
export function kubernetesContract(name: string, start: () => Promise<ServerUnderTest>): void {
  describe(name, { timeout: LONG_MS }, () => {
    let server: ServerUnderTest;
    beforeAll(async () => {
      server = await start();
    }, LONG_MS);
    afterAll(() => server?.[Symbol.asyncDispose](), LONG_MS);
    const setting = settingOf(() => server);
    for (const part of PARTS) part(setting);
  });
}
