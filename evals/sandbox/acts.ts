import type { Sandbox } from "./sandbox.ts";
import type { Acts, ScenarioName } from "./scenarios.ts";
import { build, canaryName, EXTERNAL, NEXT_VERSION } from "./shop.ts";

/** What happened to the system, at the moment it was set off (Unix ms). */
export type SandboxEvent =
  | {
      readonly event: "deployed";
      readonly at: number;
      readonly service: string;
      readonly version: string;
      readonly author: string;
    }
  | {
      readonly event: "flag-switched";
      readonly at: number;
      readonly flag: string;
      readonly enabled: boolean;
      readonly author: string;
    }
  | { readonly event: "outage"; readonly at: number; readonly external: string; readonly refusedShare: number }
  /** The scenario has done all that it does. */
  | { readonly event: "played"; readonly at: number; readonly scenario: ScenarioName };

/** Acts on a running sandbox through its own APIs, and says each thing that it does. */
export function actsOn(
  sandbox: Pick<Sandbox, "push" | "deploy" | "setFlag" | "bankRefuses">,
  { storyMinuteMs, onEvent }: { readonly storyMinuteMs: number; readonly onEvent: (event: SandboxEvent) => void },
): Acts {
  return {
    async release(service, author, quirks, commit) {
      sandbox.push(build(service, NEXT_VERSION, quirks, commit));
      const at = await sandbox.deploy(service, NEXT_VERSION, author);
      onEvent({ event: "deployed", at, service, version: NEXT_VERSION, author });
    },
    async releaseCanary(service, author, quirks) {
      sandbox.push(build(service, NEXT_VERSION, quirks));
      const workload = canaryName(service);
      const at = await sandbox.deploy(service, NEXT_VERSION, author, workload);
      onEvent({ event: "deployed", at, service: workload, version: NEXT_VERSION, author });
    },
    async setFlag(flag, enabled, author) {
      const at = await sandbox.setFlag(flag, enabled, author);
      onEvent({ event: "flag-switched", at, flag, enabled, author });
    },
    bankRefuses(share) {
      sandbox.bankRefuses(share);
      onEvent({ event: "outage", at: Date.now(), external: EXTERNAL, refusedShare: share });
    },
    passMinutes: (minutes) => new Promise((resolve) => setTimeout(resolve, minutes * storyMinuteMs)),
  };
}
