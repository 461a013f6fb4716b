import type { Config } from "../config/config.ts";
import type { CaseFile } from "../model/assessment.ts";
import type { Target } from "../model/plan.ts";

/**
 * What would switch the auto-sync of a service's application on again, after a rollback switched it off; where there is
 * none, why. Whether it was unship that switched it off, and what Git asks for by now, Argo CD itself is asked when it
 * is done.
 */
export function autoSyncTarget(
  service: string,
  { rollouts }: Pick<CaseFile, "rollouts">,
  { services }: Pick<Config, "services">,
): { readonly target: Target } | { readonly obstacle: string } {
  const application = Object.hasOwn(services, service) ? services[service]?.argocdApplication : undefined;
  if (application == null) return { obstacle: `the file names no argocd_application of ${service}` };
  const synced = rollouts.find(({ workload: { kind, name } }) => kind === "Application" && name === application);
  if (synced === undefined) return { obstacle: `Argo CD tells nothing of application ${application}` };
  const { version, workload } = synced;
  return {
    target: {
      action: "argocd_resume_auto_sync",
      service,
      changeId: `auto-sync:${workload.namespace}/${workload.name}`,
      object: workload,
      expected: { version, revision: "auto-sync-off" },
      restore: { version, revision: "auto-sync-on" },
    },
  };
}
