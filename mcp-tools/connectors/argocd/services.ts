import type { Application } from "./application.ts";

/** Which application deploys which service, as the configuration says. */
export interface ServiceApplication {
  readonly service: string;
  readonly application: string;
}

/** The services that an application deploys; one that no service names stands under its own name. */
export function servicesOf({ metadata }: Application, services: readonly ServiceApplication[]): readonly string[] {
  const own = services.filter(({ application }) => application === metadata.name).map(({ service }) => service);
  return own.length === 0 ? [metadata.name] : own;
}
