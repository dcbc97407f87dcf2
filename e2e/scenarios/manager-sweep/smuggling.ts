/** Requests that two servers in a row could read in two ways, and headers that say who somebody is. */
import assert from 'node:assert/strict';
import type { ScenarioContext } from '../../harness/scenario.ts';
import type { Ask } from '../../tools/manager-requests.ts';
import type { Castle } from './castle.ts';

const door = '/k8s/clusters/local';
const whoami: Ask = {
  method: 'POST',
  path: `${door}/apis/authentication.k8s.io/v1/selfsubjectreviews`,
  body: JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
};

/** What is sent beside the credentials of somebody with few rights. */
const headers: readonly Readonly<Record<string, string | readonly string[]>>[] = [
  { 'Impersonate-User': 'rfo:admin' },
  { 'Impersonate-User': 'system:admin', 'Impersonate-Group': 'system:masters' },
  { 'impersonate-group': 'system:masters' },
  { 'impersonate-uid': '1' },
  { 'impersonate-extra-rfo.io%2fusername': 'admin' },
  { 'impersonate_user': 'rfo:admin', 'impersonate_group': 'system:masters' },
  { 'Impersonate-User': ['rfo:mallory', 'rfo:admin'] },
  { 'X-Remote-User': 'system:admin', 'X-Remote-Group': 'system:masters', 'X-Remote-Extra-Scopes': 'all' },
  { 'x_remote_user': 'system:admin', 'x_remote_group': 'system:masters' },
  { 'X-Forwarded-User': 'admin', 'X-Forwarded-For': '127.0.0.1', 'Forwarded': 'for=127.0.0.1', 'X-Real-Ip': '127.0.0.1' },
  { 'X-Original-URL': '/api/v1/users', 'X-Rewrite-URL': '/api/v1/users', 'X-HTTP-Method-Override': 'DELETE' },
  // What is named there is for the next hop alone, and dropped: our own headers must not be.
  { connection: 'keep-alive, impersonate-user, impersonate-group, authorization, x-remote-user' },
  { 'connection': 'impersonate-user', 'Proxy-Authorization': 'Bearer x', 'Proxy-Connection': 'impersonate-user' },
  { te: 'trailers, impersonate-user' },
  { 'sec-websocket-protocol': 'base64url.bearer.authorization.k8s.io.eA, v5.channel.k8s.io' },
];

/** Paths that could mean another one to whom they are passed on. */
const paths: readonly string[] = [
  `${door}/../../../api/v1/users`,
  `${door}/%2e%2e/%2e%2e/%2e%2e/api/v1/users`,
  `${door}/%252e%252e/api/v1/pods`,
  `${door}/..%2f..%2fapi/v1/pods`,
  `${door}/api/v1/namespaces/shop/../kube-system/secrets`,
  `${door}/api/v1/namespaces/shop/./secrets`,
  `${door}/api/v1/namespaces/shop%2f..%2fkube-system/secrets`,
  `${door}/api/v1/namespaces/shop/pods%5c..%5csecrets`,
  `${door}/api/v1/namespaces/shop/services/https:x:1/proxy/../../../../secrets`,
  `${door}//api/v1/secrets`,
  `${door}/api//v1/secrets`,
  `${door}/api/v1/pods%00`,
  `${door}/api/v1/pods%0d%0aimpersonate-user:%20admin`,
  `${door}/api/v1/pods%`,
  `${door}/api/v1/pods%zz`,
  `${door}/api/v1/pods%c0%ae%c0%ae`,
  `${door}/api/v1/pods#/secrets`,
  `${door}/api/v1/pods\\..\\secrets`,
  `${door};/api/v1/pods`,
  '/k8s/clusters/%6cocal/api/v1/pods',
  '/k8s/clusters/local%2f..%2felsewhere/api/v1/pods',
  '/k8s/clusters//api/v1/pods',
  '/k8s/clusters/../clusters/local/api/v1/pods',
  '/k8s/clusters/local:6443/api/v1/pods',
  '/k8s/clusters/127.0.0.1/api/v1/pods',
  '/k8s/clusters/localhost:2379/v3/kv/range',
  '/K8S/clusters/local/api/v1/pods',
  '/healthz/../api/v1/users',
  '//api/v1/users',
  '/api/v1//users',
  '/api/v1/users/..%2ftokens',
  '/api/v1/users/%2e%2e/tokens',
  '/api/v1/users/admin%2fdisable',
  'https://kubernetes.default.svc/api/v1/secrets',
  'http://127.0.0.1:2379/health',
  '*',
];

export async function checkSmuggling({ check }: ScenarioContext, castle: Castle): Promise<void> {
  const { requests, member, admin, manager } = castle;
  await check('no header makes somebody another, or more than he is', async () => {
    const asks = [whoami, ...headers.map((each): Ask => ({ ...whoami, headers: each }))].map((ask): Ask => ({ ...ask, token: member }));
    const { answers } = await requests.exchange({ asks });
    const [self, ...others] = answers.map(({ status, body }) => ({ status, user: status === 201 ? userOf(body) : body }));
    assert.equal(self?.status, 201);
    const wrong = others.flatMap((seen, index) => {
      const same = seen.status === 201 && JSON.stringify(seen.user) === JSON.stringify(self?.user);
      return same || seen.status === 400 || seen.status === 403 ? [] : [`${JSON.stringify(headers[index])}: ${JSON.stringify(seen)}`];
    });
    assert.deepEqual(wrong, []);
  });
  await check('no path means another one behind the door', async () => {
    const { answers } = await requests.exchange({ asks: paths.map((path) => ({ path, token: admin })) });
    const wrong = paths.flatMap((path, index) => {
      const { status = 0, body = '' } = answers[index] ?? {};
      return [400, 404].includes(status) && /"code":|"reason":/.test(body) ? [] : [`${path}: ${status} ${body.slice(0, 150)}`];
    });
    assert.deepEqual(wrong, []);
  });
  await check('no request hides another one', async () => {
    const { host } = new URL(manager.address);
    const hidden = `GET ${door}/api/v1/secrets HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${admin}\r\n\r\n`;
    const targets = [`POST ${door}/apis/authentication.k8s.io/v1/selfsubjectreviews`, 'POST /api/v1/session', 'POST /healthz'];
    const tricks: readonly string[] = [
      `Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
      `Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${hidden}`,
      `Content-Length: 0\r\nContent-Length: ${hidden.length}\r\n\r\n${hidden}`,
      `Content-Length: 0, ${hidden.length}\r\n\r\n${hidden}`,
      `Content-Length: +0\r\n\r\n${hidden}`,
      `Content-Length: 0x0\r\n\r\n${hidden}`,
      `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${hidden}`,
      `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${hidden}`,
      `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`,
      `Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${hidden}`,
      `Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${hidden}`,
      `X: y\nContent-Length: 0\r\n\r\n${hidden}`,
      `X: y\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: transfer-encoding\r\n\r\n0\r\n\r\n${hidden}`,
    ];
    const raw = targets.flatMap((target) =>
      tricks.map(
        (trick) => `${target} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${member}\r\nContent-Type: application/json\r\n${trick}`,
      ),
    );
    const outcome = await requests.exchange({ raw });
    const wrong = raw.flatMap((sent, index) => {
      const seen = outcome.raw[index];
      const statuses = [...(seen ?? '').matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status));
      return statuses.length === 1 && statuses[0] === 400
        ? []
        : [`${sent.slice(0, sent.indexOf('GET /'))}: ${seen === undefined ? 'not closed' : statuses}`];
    });
    assert.deepEqual(wrong, []);
  });
  await check('of two credentials neither is taken for the other', async () => {
    const { host } = new URL(manager.address);
    const self = (first: string, second: string): string =>
      `GET /api/v1/self HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${first}\r\nAuthorization: Bearer ${second}\r\nConnection: close\r\n\r\n`;
    const { raw } = await requests.exchange({ raw: [self(member, admin), self('rfo_x', admin), self(admin, 'rfo_x')] });
    assert.deepEqual(
      raw.map((seen) => /^HTTP\/1\.1 (\d+)/.exec(seen ?? '')?.[1]),
      ['400', '400', '400'],
    );
  });
}

function userOf(body: string): unknown {
  return (JSON.parse(body) as { status: { userInfo: unknown } }).status.userInfo;
}
