import { type Listener, listen, send } from "./listener.ts";
import type { LivePod } from "./process-runtime.ts";

/**
 * Lists every pod's `/metrics` in the format of Prometheus' HTTP service discovery. The plain labels name what the
 * pod's own series name too, with the same values, so that `up` can be grouped alike; set `honor_labels: true`.
 *
 * @see https://prometheus.io/docs/prometheus/latest/http_sd/
 */
export async function startDiscovery(live: () => readonly LivePod[]): Promise<Listener> {
  return listen((request, response) => {
    if (request.url !== "/targets") {
      send(response, { status: 404 });
      return;
    }
    const targets = live().map(({ pod, namespace, service, version, port }) => ({
      targets: [`127.0.0.1:${port}`],
      labels: {
        namespace,
        pod,
        service,
        version,
        __meta_kubernetes_namespace: namespace,
        __meta_kubernetes_pod_name: pod,
        __meta_kubernetes_pod_label_app: service,
      },
    }));
    send(response, { status: 200, body: targets });
  });
}

/** A Prometheus configuration that scrapes the sandbox once a second. */
export function prometheusConfig(discoveryUrl: string): string {
  return `global:
  scrape_interval: 1s
scrape_configs:
  - job_name: sandbox
    honor_labels: true
    http_sd_configs:
      - url: ${discoveryUrl}
        refresh_interval: 1s
`;
}
