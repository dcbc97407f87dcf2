/** Every route there is, tried without a credential and with each kind of one that is not good. */
import assert from 'node:assert/strict';
import type { ScenarioContext } from '../../harness/scenario.ts';
import type { Answer, Ask } from '../../tools/manager-requests.ts';
import type { Castle } from './castle.ts';

/** All that answers somebody who is nobody: whoever adds to this list opens a door. */
const open: Readonly<Record<string, number>> = {
  'GET /healthz': 200,
  'GET /readyz': 200,
  'GET /api/v1/openapi.json': 200,
  'GET /api/v1/authority': 200,
  // Without a name and a password it says that they are missing.
  'POST /api/v1/session': 400,
  'POST /api/v1/session/code': 400,
  'GET /api/v1/signIn/providers': 200,
  // The page where one signs in; those behind it say that they were not asked by it.
  'GET /sign-in': 200,
  'GET /sign-in/cli': 400,
  'POST /sign-in/cli': 400,
  'POST /sign-in/out': 400,
  'GET /sign-in/back/nobody?code=x&state=y': 400,
  'GET /import/…': 200,
};

/** What is served beside the REST interface; `socket`: only as a WebSocket. */
const beside: readonly Ask[] = [
  { path: '/healthz' },
  { path: '/readyz' },
  { path: '/metrics' },
  { path: '/' },
  { path: '/index.html' },
  { path: '/sign-in' },
  { method: 'POST', path: '/sign-in', body: '{}' },
  { path: '/sign-in/cli' },
  { method: 'POST', path: '/sign-in/cli', body: '{}' },
  { method: 'POST', path: '/sign-in/out', body: '{}' },
  { path: '/sign-in/to/nobody' },
  { path: '/sign-in/back/nobody?code=x&state=y' },
  { path: '/api' },
  { path: '/api/v1' },
  { path: '/api/v2/users' },
  { path: '/debug/pprof' },
  { path: '/.well-known/openid-configuration' },
  { path: '/import/x.yaml' },
  { path: '/connect', socket: 'rfo' },
  { path: '/ws', socket: 'rfo' },
  ...['', '/', '/version', '/healthz', '/openid/v1/jwks', '/api/v1/secrets', '/api/v1/pods?watch=true', '/apis/rfo.io/v1alpha1/users'].map(
    (path) => ({
      path: `/k8s/clusters/local${path}`,
    }),
  ),
  { path: '/k8s/clusters/none/api/v1/pods' },
  { path: '/k8s/clusters/local/api/v1/namespaces/shop/pods/web/exec?command=sh&stdin=true', socket: 'v5.channel.k8s.io' },
  { method: 'POST', path: '/k8s/clusters/local/api/v1/namespaces', body: '{}' },
];

const importAddress = 'an import address as a token';
const inQuery = 'a token in the query';

export async function checkRoutes({ step, check }: ScenarioContext, castle: Castle): Promise<void> {
  const { requests, document, admin, member, expired, deleted, registration } = castle;
  const all: readonly Ask[] = [...operations(document), ...beside, { path: registration }];
  const named = (ask: Ask): string => `${ask.method ?? 'GET'} ${ask.path === registration ? '/import/…' : ask.path}`;
  const id = /^(rfo_[^_]+_)/.exec(member)?.[1] ?? '';
  const bearer = (authorization: string): Partial<Ask> => ({ headers: { authorization } });
  const credentials: Readonly<Record<string, Partial<Ask>>> = {
    'nobody': {},
    'a token that ended': { token: expired },
    'a token that was deleted': { token: deleted },
    'a token with another secret': { token: `${id}${'0'.repeat(64)}` },
    'a token with less of its secret': { token: member.slice(0, -1) },
    'a token with more than its secret': { token: `${member}0` },
    'half a token': { token: 'rfo_' },
    [importAddress]: { token: /(rfor_\w+)/.exec(registration)?.[1] ?? '' },
    'the token of a cluster that does not exist': { token: `rfoc_elsewhere_${'0'.repeat(12)}_${'0'.repeat(64)}` },
    'a token of Kubernetes': { token: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJzeXN0ZW06YWRtaW4iLCJncm91cHMiOlsic3lzdGVtOm1hc3RlcnMiXX0.' },
    'no scheme': bearer(admin),
    'another scheme': bearer(`Negotiate ${admin}`),
    'a token and more': bearer(`Bearer ${admin} x`),
    'a token as a cookie': { headers: { cookie: `__Host-rfo-session=${member}` } },
    'two cookies': { headers: { cookie: `__Host-rfo-session=${admin}; __Host-rfo-session=${admin}` } },
    [inQuery]: {},
  };
  const asks = Object.entries(credentials).flatMap(([who, credential]) =>
    all.map((ask) => ({
      who,
      named: named(ask),
      ask: { ...ask, ...credential, ...(who === inQuery && { path: withToken(ask.path, admin) }) },
    })),
  );
  // All at once: a program for each would take longer than what it sends.
  const { answers } = await step(`${all.length} routes are tried with ${Object.keys(credentials).length} kinds of credentials`, () =>
    requests.exchange({ asks: asks.map(({ ask }) => ask), atOnce: 4 }),
  );
  for (const who of Object.keys(credentials)) {
    await check(`${who}: nothing answers but what is on the list`, async () => {
      const wrong = asks.flatMap((tried, index) => {
        // That is what it is for.
        if (tried.who !== who || (who === importAddress && tried.named === 'GET /connect')) return [];
        const answer = answers[index] ?? assert.fail();
        const expected = open[tried.named];
        if (expected !== undefined) return answer.status === expected ? [] : [`${tried.named}: ${answer.status} instead of ${expected}`];
        const problem = problemOf(answer);
        return problem === undefined ? [] : [`${tried.named}: ${problem}`];
      });
      assert.deepEqual(wrong, []);
    });
  }
}

/** All operations of the document, with something in the place of each parameter. */
export function operations(document: Castle['document']): Ask[] {
  const paths = Object.entries(document.paths as Readonly<Record<string, Readonly<Record<string, { readonly requestBody?: unknown }>>>>);
  assert.ok(paths.length > 10, 'the document names no paths');
  return paths.flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => ({
      ...{ method: method.toUpperCase(), path: path.replaceAll(/\{\w+\}/g, 'admin') },
      ...(requestBody !== undefined && { body: '{}' }),
    })),
  );
}

/** What is wrong with an answer that has to be a refusal in the form that its clients know. */
function problemOf({ status, headers, body }: Answer): string | undefined {
  if (![401, 403, 404, 426].includes(status)) return `${status} ${body.slice(0, 200)}`;
  if (body === '' || status === 401 || headers['content-type']?.startsWith('text/html')) return undefined;
  const { code, kind } = JSON.parse(body) as { code?: unknown; kind?: unknown };
  // Who is unknown is not told what there is.
  if (code === undefined && kind !== 'Status') return `${status} without a code: ${body.slice(0, 200)}`;
  return undefined;
}

function withToken(path: string, token: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}access_token=${token}&token=${token}`;
}
