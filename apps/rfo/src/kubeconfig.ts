/** A kubeconfig of one cluster and one user, in JSON, which every reader of YAML takes. */
export function kubeconfigJson(input: { readonly cluster: object; readonly user: object }): string {
  const name = 'default';
  return `${JSON.stringify(
    {
      'apiVersion': 'v1',
      'kind': 'Config',
      'clusters': [{ name, cluster: input.cluster }],
      'users': [{ name, user: input.user }],
      'contexts': [{ name, context: { cluster: name, user: name } }],
      'current-context': name,
    },
    undefined,
    2,
  )}\n`;
}
