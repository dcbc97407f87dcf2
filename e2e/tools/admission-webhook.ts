/**
 * An admission webhook for scenarios: refuses objects with the label `forbidden`, and names the pod that it runs in. Arguments: port, certificate, key.
 * Source: AdmissionReview of admission.k8s.io/v1.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { hostname } from 'node:os';
import { text } from 'node:stream/consumers';

type Review = {
  readonly request: {
    readonly uid: string;
    readonly object: { readonly metadata: { readonly labels?: Readonly<Record<string, string>> } };
  };
};

const [port = '8443', cert = '', key = ''] = process.argv.slice(2);
const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, async (request, response) => {
  if (request.method !== 'POST') return void response.writeHead(200).end('ready\n');
  const { request: asked } = JSON.parse(await text(request)) as Review;
  const allowed = asked.object.metadata.labels?.forbidden === undefined;
  const status = { code: 403, message: `forbidden by ${hostname()}` };
  const answer = { uid: asked.uid, allowed, ...(allowed ? {} : { status }) };
  const body = JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer });
  // Each question on a connection of its own, so that all pods are asked.
  response.writeHead(200, { 'content-type': 'application/json', 'connection': 'close' }).end(body);
});
server.listen(Number(port), () => console.log('listening'));
process.once('SIGTERM', () => process.exit());
