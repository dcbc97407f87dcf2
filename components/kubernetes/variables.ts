const values = {
  gitVersion: '{version}',
  gitMajor: '{major}',
  gitMinor: '{minor}',
  gitCommit: 'unknown',
  gitTreeState: 'archive',
};

/** Both places where Kubernetes code looks for its version, as hack/lib/version.sh sets them. No commit and no date: a module has none. */
export const kubernetesVariables: Readonly<Record<string, string>> = Object.fromEntries(
  ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((where) =>
    Object.entries(values).map(([name, value]) => [`${where}.${name}`, value]),
  ),
);
