import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { Node } from '../../harness/node.ts';
import type { ScenarioContext } from '../../harness/scenario.ts';
import { run } from '../../lab/index.ts';
import { idOf, type Tokens } from './tokens.ts';

/** No secret of a token is in a log of any host, or in its list of processes. */
export async function checkSecrets(
  { check }: ScenarioContext,
  { nodes, tokens }: { readonly nodes: readonly Node[]; readonly tokens: Tokens },
): Promise<void> {
  await check(`no token's secret is in any log or list of processes of ${nodes.map(({ host }) => host.name).join(', ')}`, async () => {
    const folders = nodes.flatMap(({ host }) => logFolders.map((folder) => join(host.dir, folder)));
    // What may be seen of a token is there: so the search finds what there is to be found.
    assert.notEqual(await filesWith([idOf(tokens.usedUp)], folders), '', 'the id of a token that was used is in no log');
    assert.equal(await filesWith(tokens.secrets, folders), '');
    for (const { host } of nodes) {
      if (host.findInit() === undefined) continue;
      const shown = await host.must(['sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "']);
      assert.ok(
        tokens.secrets.every((secret) => !shown.includes(secret)),
        `a secret is in the list of processes of ${host.name}`,
      );
    }
  });
}

/** What is said on a host, below its folder: by rfo, by its components, by the API's audit, by pods. */
const logFolders = ['logs', 'disk/var-lib-rancher/rfo/logs', 'disk/var-lib-rancher/rfo/server/logs', 'disk/var-log'];

async function filesWith(words: readonly string[], folders: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(['grep', '-rlsF', '-f', '-', ...folders], { input: `${words.join('\n')}\n` });
  // 1: nothing found; 2: some folders are not there.
  assert.ok(code <= 2 && stderr === '', stderr);
  return stdout;
}
