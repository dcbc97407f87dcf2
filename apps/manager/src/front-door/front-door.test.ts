import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { type Lab, type Person, startPeople } from './front-door.testing.ts';
import { type Answer, type Ask, askAt, codeOf, readToEnd } from './requests.testing.ts';

let lab: Lab;
let admin: Person;
let alice: Person;
let bob: Person;

before(async () => {
  ({ lab, admin, alice, bob } = await startPeople());
});
after(() => lab?.stop());

const ask = (...request: Ask): Promise<Answer> => askAt(lab, ...request);

describe('kubectl through the front door', () => {
  it('is the user himself, with all of his groups', async () => {
    const { out } = await lab.kubectl(alice, 'auth', 'whoami', '-o', 'json');
    const { userInfo } = JSON.parse(out).status;
    assert.equal(userInfo.username, `rfo:${alice.name}`);
    assert.deepEqual(
      userInfo.groups.toSorted(),
      ['rfo:project:team:member', 'rfo:role:user', 'rfo:users', 'system:authenticated'].toSorted(),
    );
    assert.deepEqual(userInfo.extra, { 'rfo.io/username': ['alice'], 'rfo.io/token-id': [alice.tokenId] });
  });

  it('does what his rights allow, and no more', async () => {
    const made = await lab.kubectl(alice, '-n', 'team', 'create', 'configmap', 'made', '--from-literal=a=b');
    assert.equal(made.code, 0, made.err);
    assert.equal((await lab.kubectl(bob, '-n', 'team', 'get', 'configmap', 'made', '-o', 'jsonpath={.data.a}')).out, 'b');
    const refused = await lab.kubectl(bob, '-n', 'team', 'delete', 'configmap', 'made');
    assert.match(refused.err, /Forbidden.*cannot delete resource "configmaps"/);
    const account = await lab.kubectl(alice, '-n', 'team', 'create', 'serviceaccount', 'robot');
    assert.equal(account.code, 0, account.err);
    const token = await lab.kubectl(alice, '-n', 'team', 'create', 'token', 'robot');
    assert.equal(token.out.split('.').length, 3, token.err);
    const applied = await lab.kubectl(admin, 'create', 'namespace', 'by-root');
    assert.equal(applied.code, 0, applied.err);
  });

  it('is himself too where the manager acts by a certificate', async () => {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(review) };
    const { status, text } = await ask(admin, 'local/apis/authentication.k8s.io/v1/selfsubjectreviews', options);
    assert.equal(status, 201, text);
    assert.equal(JSON.parse(text).status.userInfo.username, `rfo:${admin.name}`);
    assert.equal(codeOf(await ask(alice, 'local/version')), 'cluster-forbidden');
  });

  it('watches, and is told at once', async () => {
    const watching = await lab.follow(bob, '-n', 'team', 'get', 'configmaps', '--watch', '-o', 'name');
    await lab.kubectl(alice, '-n', 'team', 'create', 'configmap', 'seen-1');
    await watching.said('seen-1');
    watching.end();
    await watching.ended;
  });

  it('is told what is wrong in the words of Kubernetes', async () => {
    const other = await lab.person('mallory');
    const { err } = await lab.kubectl(other, 'get', 'pods');
    assert.match(err, /mallory may not enter cluster prod/);
    const unknown = await lab.kubectl(
      { ...other, credential: other.credential.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a')) },
      'get',
      'pods',
    );
    assert.match(unknown.err, /Unauthorized|credentials are not accepted/);
    assert.equal((await ask(undefined, 'prod/api')).status, 401);
    assert.equal((await ask(admin, 'prod/api', { headers: { authorization: 'Bearer nonsense' } })).status, 401);
  });

  it('works again when the API server was restarted, though connections to it were kept', async () => {
    assert.equal((await ask(alice, 'prod/api/v1/namespaces/team/configmaps')).status, 200);
    await lab.cluster.killApiServer();
    const down = await ask(alice, 'prod/version');
    assert.equal(down.status, 502);
    await lab.cluster.startApiServer();
    assert.equal((await ask(alice, 'prod/api/v1/namespaces/team/configmaps')).status, 200);
  });
});

describe('acting as somebody else', () => {
  const whoami = async (person: Person, ...as: string[]) => {
    const { code, out, err } = await lab.kubectl(person, 'auth', 'whoami', '-o', 'json', ...as);
    return { err, user: code === 0 ? JSON.parse(out).status.userInfo : undefined };
  };
  const tryAs = (person: Person, user: string, ...groups: string[]): Promise<Answer> =>
    ask(person, 'prod/version', { headers: { 'Impersonate-User': user, 'Impersonate-Group': groups } });

  it('takes the right to it, each group for itself', async () => {
    const carol = await lab.person('carol');
    await lab.members({ [alice.name]: 'member', [bob.name]: 'viewer', [carol.name]: 'cluster-manager' });
    const { user, err } = await whoami(carol, '--as=bob', '--as-group=builders', '--as-group=testers');
    assert.equal(user?.username, 'bob', err);
    assert.deepEqual(user.groups.toSorted(), ['builders', 'system:authenticated', 'testers']);
    // Who it really was can be read in the cluster's own audit log.
    assert.deepEqual(user.extra['rfo.io/username'], ['carol']);
    assert.equal((await tryAs(carol, 'bob', 'testers')).status, 200);
    for (const [name = '', ...groups] of [
      ['eve'],
      ['bob', 'strangers'],
      ['bob', 'builders', 'strangers'],
      ['bob', 'system:masters'],
      [`rfo:${admin.name}`],
      ['bob', 'rfo:role:administrator'],
      ['system:serviceaccount:team:robot'],
    ]) {
      const refused = await tryAs(carol, name, ...groups);
      assert.deepEqual([refused.status, codeOf(refused)], [403, 'impersonation-forbidden'], [name, ...groups].join(' '));
    }
    assert.match((await lab.kubectl(alice, 'get', '--raw=/version', '--as=bob')).err, /alice may not act as user bob/);
  });

  it('keeps what makes an administrator to administrators, whatever a cluster allows', async () => {
    const dave = await lab.person('dave');
    await lab.members({ [alice.name]: 'member', [bob.name]: 'viewer', [dave.name]: 'owner' });
    assert.equal((await tryAs(dave, 'anybody', 'developers')).status, 200);
    for (const [name = '', ...groups] of [['x', 'system:masters'], ['x', 'rfo:role:administrator'], [`rfo:${admin.name}`]]) {
      assert.equal(codeOf(await tryAs(dave, name, ...groups)), 'impersonation-forbidden', [name, ...groups].join(' '));
    }
    assert.equal((await tryAs(admin, 'x', 'system:masters')).status, 200);
    const extra = await ask(admin, 'prod/version', {
      headers: { 'Impersonate-User': 'x', 'Impersonate-Extra-rfo.io%2Fusername': 'alice' },
    });
    assert.equal(codeOf(extra), 'impersonation-forbidden');
    assert.equal(codeOf(await ask(admin, 'prod/version', { headers: { 'Impersonate-Group': 'x' } })), 'impersonation-invalid');
  });
});

describe('a token with limits', () => {
  it('that may only read does not run anything, by GET neither', async () => {
    const reader = await lab.person('alice', { readOnly: true });
    assert.equal((await ask(reader, 'prod/api/v1/namespaces/team/configmaps')).status, 200);
    const made = await ask(reader, 'prod/api/v1/namespaces/team/configmaps', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    assert.equal(codeOf(made), 'token-read-only');
    assert.equal(codeOf(await ask(reader, 'prod/api/v1/namespaces/team/services/s/proxy/do')), 'token-read-only');
    const socket = await lab.raw();
    const webSocket = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ];
    const path = '/k8s/clusters/echo/api/v1/namespaces/team/pods/p/exec?command=sh';
    socket.write(
      [`GET ${path} HTTP/1.1`, 'Host: manager', `Authorization: Bearer ${reader.credential}`, ...webSocket, '', ''].join('\r\n'),
    );
    const answer = await readToEnd(socket);
    assert.match(answer, /^HTTP\/1\.1 403 /);
    assert.match(answer, /token-read-only/);
  });

  it('is good for the clusters that it names alone', async () => {
    const narrow = await lab.person('alice', { clusters: ['echo'] });
    assert.equal((await ask(narrow, 'echo/x')).status, 200);
    assert.equal(codeOf(await ask(narrow, 'prod/version')), 'token-elsewhere');
  });
});
