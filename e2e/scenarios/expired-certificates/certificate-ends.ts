/** When the certificates of a running node end, as its clients see it. */
import assert from 'node:assert/strict';
import { dataDir, type Node } from '../../harness/node.ts';

/** Milliseconds since 1970 by place: what each server shows, and each client's file. */
export async function certificateEnds(node: Node): Promise<Readonly<Record<string, number>>> {
  const ports = [2379, 2380, 2382, 6443, 9345, 10250, 10257, 10259];
  const script = [
    `for port in ${ports.join(' ')}; do`,
    'echo "port $port=$(openssl s_client -connect 127.0.0.1:$port </dev/null 2>/dev/null | openssl x509 -noout -enddate)"; done',
    `for file in $(find ${dataDir}/server/tls -name "client*.crt" ! -name "*-ca*"); do`,
    'echo "$file=$(openssl x509 -noout -enddate -in $file)"; done',
  ].join('\n');
  const ends: Record<string, number> = {};
  for (const line of (await node.host.must(['sh', '-ec', script])).trim().split('\n')) {
    const [place = '', , end = ''] = line.split('=');
    ends[place] = Date.parse(end);
    assert.ok(ends[place] > 0, `no certificate: ${line}`);
  }
  assert.ok(Object.keys(ends).length > ports.length + 5, `few certificates: ${Object.keys(ends).join(', ')}`);
  return ends;
}

/** @throws AssertionError that names those which still end when they did `before` */
export async function assertRenewed(node: Node, before: Readonly<Record<string, number>>): Promise<true> {
  const now = await certificateEnds(node);
  const old = Object.keys(before).filter((place) => (now[place] ?? 0) <= (before[place] ?? 0));
  assert.deepEqual(old, [], 'not renewed yet');
  return true;
}
