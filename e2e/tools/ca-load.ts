/**
 * Has a CA of the CFSSL API sign without pause: `ca-load.ts URL CA-FILE KEY CONNECTIONS REQUEST-FILE`, until SIGTERM.
 *
 * Each connection asks for one certificate after the other, each for a name of its own, and goes on through every failure. It prints
 * `ack SERIAL FINGERPRINT` (hex) for each certificate that it was given, and `fail STATUS TEXT` for each that it was not.
 */
import { createHmac, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';

const [url = '', caFile = '', key = '', connections = '1', requestFile = ''] = process.argv.slice(2);
const target = new URL('/api/v1/cfssl/authsign', url);
const csr = readFileSync(requestFile, 'utf8');
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections), ca: readFileSync(caFile) });
/** Milliseconds after a failure, so that a CA that is down is not asked thousands of times. */
const pause = 20;
let going = true;
process.once('SIGTERM', () => {
  going = false;
});

await Promise.all(Array.from({ length: Number(connections) }, (_, at) => askOn(at)));
agent.destroy();

async function askOn(at: number): Promise<void> {
  for (let turn = 0; going; turn++) {
    const name = `c${at}-${turn}-${process.pid}.example`;
    const inner = JSON.stringify({ certificate_request: csr, hosts: [name], subject: { CN: name }, profile: 'www' });
    const token = createHmac('sha256', Buffer.from(key, 'hex')).update(inner).digest('base64');
    try {
      const { status, text } = await post(JSON.stringify({ token, request: Buffer.from(inner).toString('base64') }));
      if (status !== 200) throw new Error(`${status} ${text.trim()}`);
      const { result } = JSON.parse(text) as { readonly result: { readonly certificate: string } };
      const { serialNumber, fingerprint256 } = new X509Certificate(result.certificate);
      console.log(`ack ${serialNumber} ${fingerprint256.replaceAll(':', '')}`);
    } catch (error) {
      console.log(`fail ${error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error)}`);
      await delay(pause);
    }
  }
}

function post(body: string): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-length': Buffer.byteLength(body) };
    const outgoing = request(target, { method: 'POST', agent, headers, signal: AbortSignal.timeout(10_000) }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('error', reject);
      // An answer that breaks off is none.
      incoming.once('close', () =>
        incoming.complete
          ? resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString() })
          : reject(new Error('the answer broke off')),
      );
    });
    outgoing.once('error', reject);
    outgoing.end(body);
  });
}
