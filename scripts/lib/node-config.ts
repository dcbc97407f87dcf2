import { join } from 'node:path';

/** The configuration of the node that `npm start` runs: everything it keeps lies under the repository's `.rfo`. */
export function renderNodeConfig(folder: string): string {
  const settings = {
    'data-dir': join(folder, 'data'),
    'write-kubeconfig': join(folder, 'kubeconfig.yaml'),
    'manager': true,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}: ${JSON.stringify(value)}`);
  return ['# Written by npm start each time. Your own settings belong into config.yaml.d/*.yaml beside this file.', ...lines, ''].join(
    '\n',
  );
}
