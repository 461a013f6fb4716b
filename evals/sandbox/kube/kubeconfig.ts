/** A kubeconfig for a cluster on plain HTTP: kubectl sends no token over it. */
export function kubeconfigFor(url: URL): string {
  return `apiVersion: v1
kind: Config
current-context: sandbox
clusters:
  - name: sandbox
    cluster:
      server: ${url.origin}
contexts:
  - name: sandbox
    context:
      cluster: sandbox
      user: sandbox
      namespace: default
users:
  - name: sandbox
    user: {}
`;
}
