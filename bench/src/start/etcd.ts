/** Waits for etcd: an API server that is started before its etcd has elected itself loses seconds to growing pauses between attempts. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { node } from './node-paths.ts';
import { every20ms } from './probe.ts';

/** etcd listens early but completes no handshake before it can serve. */
export async function untilEtcdAnswers(): Promise<void> {
  const read = (name: string): Promise<string> => readFile(join(node.tls, 'etcd', name), 'utf8');
  const [ca, cert, key] = await Promise.all([read('server-ca.crt'), read('client.crt'), read('client.key')]);
  await every20ms(async () => {
    const socket = connect({ ...node.etcd, ca, cert, key, timeout: 500 });
    const { promise, resolve } = Promise.withResolvers<boolean>();
    socket.once('secureConnect', () => resolve(true));
    for (const event of ['error', 'timeout', 'close'] as const) socket.once(event, () => resolve(false));
    const answered = await promise;
    socket.on('error', () => undefined).destroy();
    return answered;
  });
}
