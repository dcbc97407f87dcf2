import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { createLog } from '@rfo/foundation';
import type { TestDirectory } from '@rfo/test-directory';
import { makeAuthority } from '../../../clusters/clusters.testing.ts';
import { group, open, password, person, personDn, searcher, settingsFor, startDirectory, suffix } from './ldap.testing.ts';
import type { LdapSettings } from './plan.ts';

const people = [person('ada'), group('developers', [personDn('ada')])];
let directory: TestDirectory;
let bare: TestDirectory;

before(async () => {
  [directory, bare] = await Promise.all([startDirectory(people), startDirectory(people, {}, 'without TLS')]);
});
after(async () => {
  await Promise.all([directory?.stop(), bare?.stop()]);
});

/** Settings for the port that begins without TLS. */
const unsecured = (more: Partial<LdapSettings> = {}): LdapSettings =>
  settingsFor(directory, { servers: [`127.0.0.1:${directory.port}`], ...more });

describe('the way to the server', () => {
  for (const security of ['tls', 'start-tls', 'plain'] as const) {
    it(`works with ${security}`, async () => {
      const ours = open(security === 'tls' ? settingsFor(directory) : unsecured({ security }));
      try {
        await ours.check(ours.signal);
        assert.deepEqual(await ours.groupsOf('ada'), ['developers']);
      } finally {
        await ours.end();
      }
    });

    if (security === 'plain') continue;
    it(`is given up with ${security} before anything is said to a server whose CA is another`, async () => {
      const settings = { ...(security === 'tls' ? settingsFor(directory) : unsecured({ security })), caBundle: makeAuthority().ca };
      const ours = open(settings);
      const binds = (): number => directory.lines.filter((line) => line.includes(' BIND ')).length;
      try {
        const before = binds();
        await assert.rejects(ours.signIn('ada'), { code: 'ldap-untrusted' });
        await assert.rejects(ours.check(ours.signal), (error: Error) => {
          assert.match(error.message, /it shows a certificate for IP Address:127\.0\.0\.1, issued by CN=test-ca.*SHA-256/);
          return true;
        });
        assert.equal(binds(), before);
      } finally {
        await ours.end();
      }
    });

    it(`is given up with ${security} where the certificate is for another name`, async () => {
      const port = security === 'tls' ? directory.tlsPort : directory.port;
      const ours = open(settingsFor(directory, { security, servers: [`localhost:${port}`] }));
      try {
        await assert.rejects(ours.signIn('ada'), { code: 'ldap-untrusted' });
      } finally {
        await ours.end();
      }
    });
  }

  it('is found by a name as well, and what is wrong with each of its addresses is said', async () => {
    const ours = open(settingsFor(directory, { security: 'plain', servers: [`localhost:${directory.port}`] }));
    const closed = open(settingsFor(directory, { security: 'plain', servers: ['localhost:1'] }));
    try {
      assert.equal((await ours.signIn('ada'))?.username, 'ada');
      await assert.rejects(closed.signIn('ada'), /localhost:1 cannot be reached: connect ECONNREFUSED .*:1/);
    } finally {
      await Promise.all([ours.end(), closed.end()]);
    }
  });

  it('is not made with TLS where the server does not speak it, at once or by StartTLS', async () => {
    for (const [security, port] of [
      ['tls', bare.port],
      ['start-tls', bare.port],
      ['start-tls', directory.tlsPort],
    ] as const) {
      const ours = open(settingsFor(directory, { security, servers: [`127.0.0.1:${port}`], connectTimeoutSeconds: 2 }));
      try {
        await assert.rejects(ours.check(ours.signal), ({ code }: { code: string }) => /^ldap-(tls-failed|unreachable)$/.test(code));
      } finally {
        await ours.end();
      }
    }
    const lines = [...bare.lines, ...directory.lines].join('\n');
    assert.ok(!lines.includes(searcher.password));
  });

  it('is not made where somebody on the way adds answers before TLS begins', async () => {
    // The answer to StartTLS, and one to a bind that comes later: success, both in one packet.
    const agreed = Buffer.from('300c02010178070a010004000400', 'hex');
    const bound = Buffer.from('300c02010261070a010004000400', 'hex');
    const between = await listen((socket) => socket.once('data', () => socket.write(Buffer.concat([agreed, bound]))));
    const ours = open(settingsFor(directory, { security: 'start-tls', servers: [`127.0.0.1:${portOf(between)}`] }));
    try {
      await assert.rejects(ours.signIn('ada'), { code: 'ldap-tls-failed' });
    } finally {
      await ours.end();
      between.close();
    }
  });
});

describe('what is wrong', () => {
  const cases: readonly (readonly [string, string, () => LdapSettings])[] = [
    ['a name that is not found', 'ldap-name-unknown', () => settingsFor(directory, { servers: ['directory.invalid'] })],
    ['a port that is closed', 'ldap-unreachable', () => settingsFor(directory, { servers: ['127.0.0.1:1'] })],
    ['a bind that is refused', 'ldap-bind-refused', () => settingsFor(directory, { bindDn: `cn=nobody,${suffix}` })],
    ['a base of users that is not there', 'ldap-base-unknown', () => settingsFor(directory, { userBase: `ou=none,${suffix}` })],
    ['a base of groups that is not there', 'ldap-base-unknown', () => settingsFor(directory, { groupBase: `ou=none,${suffix}` })],
    ['a filter that matches no user', 'ldap-none-found', () => settingsFor(directory, { userFilter: '(objectClass=device)' })],
    ['a filter that matches no group', 'ldap-none-found', () => settingsFor(directory, { groupFilter: '(objectClass=device)' })],
    ['an attribute that nobody has', 'ldap-attribute-missing', () => settingsFor(directory, { attributes: { userId: 'objectGUID' } })],
  ];
  for (const [what, code, settings] of cases) {
    it(`is said: ${what}`, async () => {
      const ours = open(settings());
      try {
        await assert.rejects(ours.check(ours.signal), (error: Error & { code: string }) => {
          assert.equal(error.code, code, error.message);
          assert.ok(!error.message.includes(searcher.password));
          return true;
        });
      } finally {
        await ours.end();
      }
    });
  }

  it('is said: a filter that is none, and a CA that is none', async () => {
    for (const userFilter of ['((uid=a)', '(uid=a', '(', '(uid=a)(uid=b)']) {
      const ours = open(settingsFor(directory, { userFilter }));
      for (const asked of [ours.check(ours.signal), ours.signIn('ada')])
        await assert.rejects(asked, { code: 'ldap-filter-invalid' }, userFilter);
      await ours.end();
    }
    for (const security of ['tls', 'start-tls'] as const) {
      const caBundle = '-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n';
      const ours = open({ ...(security === 'tls' ? settingsFor(directory) : unsecured({ security })), caBundle });
      await assert.rejects(ours.check(ours.signal), { code: 'ldap-ca-invalid' });
      await ours.end();
    }
  });

  it('is said: a bind account without a password, which would be let in as nobody', async () => {
    const ours = open(settingsFor(directory), { bindPassword: async () => '' });
    try {
      await assert.rejects(ours.check(ours.signal), { code: 'ldap-bind-refused' });
    } finally {
      await ours.end();
    }
  });

  it('is said of the second server too, though the first does well', async () => {
    const ours = open(settingsFor(directory, { servers: [`127.0.0.1:${directory.tlsPort}`, '127.0.0.1:1'] }));
    try {
      assert.equal((await ours.signIn('ada'))?.username, 'ada');
      await assert.rejects(ours.check(ours.signal), /127\.0\.0\.1:1 cannot be reached/);
    } finally {
      await ours.end();
    }
  });

  it('is nothing where the directory lets anybody search', async () => {
    const { bindDn: _, ...anonymous } = settingsFor(directory);
    const ours = open(anonymous);
    try {
      await ours.check(ours.signal);
      assert.equal((await ours.signIn('ada'))?.username, 'ada');
    } finally {
      await ours.end();
    }
  });
});

describe('a server that fails', () => {
  it('is passed over for the next, and asked last for a while', async () => {
    const lines: string[] = [];
    const ours = open(settingsFor(directory, { servers: ['127.0.0.1:1', `127.0.0.1:${directory.tlsPort}`] }), {
      log: createLog({ write: (line) => lines.push(line) }),
    });
    try {
      assert.equal((await ours.signIn('ada'))?.username, 'ada');
      assert.equal((await ours.signIn('ada'))?.username, 'ada');
      assert.equal(lines.filter((line) => line.includes('does not answer')).length, 1);
    } finally {
      await ours.end();
    }
  });

  it('by hanging is given up in time, and the next is asked', async () => {
    const hanging = await startDirectory(people);
    const alone = open(settingsFor(hanging, { connectTimeoutSeconds: 1, timeoutSeconds: 1 }));
    const helped = open(
      settingsFor(hanging, { servers: [`127.0.0.1:${hanging.tlsPort}`, `127.0.0.1:${directory.tlsPort}`], connectTimeoutSeconds: 1 }),
    );
    try {
      assert.equal((await alone.signIn('ada'))?.username, 'ada');
      await hanging.pause();
      // Once on the connection that it had, once on a new one.
      await assert.rejects(alone.signIn('ada'), ({ code }: { code: string }) => /^ldap-(unanswered|unreachable)$/.test(code));
      assert.equal((await helped.signIn('ada'))?.username, 'ada');
      hanging.resume();
      assert.equal((await alone.signIn('ada'))?.username, 'ada');
    } finally {
      hanging.resume();
      await Promise.all([alone.end(), helped.end()]);
      await hanging.stop();
    }
  });

  it('by dying between two sign-ins is not noticed once it is back', async () => {
    const mortal = await startDirectory(people);
    const ours = open(settingsFor(mortal));
    try {
      assert.equal((await ours.signIn('ada'))?.username, 'ada');
      await mortal.kill();
      await assert.rejects(ours.signIn('ada'), { code: 'ldap-unreachable' });
      await mortal.start();
      assert.equal((await ours.signIn('ada'))?.username, 'ada');
    } finally {
      await ours.end();
      await mortal.stop();
    }
  });

  it('after StartTLS is never asked again without it: a lost connection is not opened anew behind our back', async () => {
    const sent: Buffer[] = [];
    let toDirectory: Socket | undefined;
    // Lets one connection through, cuts it, and listens to what comes then.
    const between = await listen((socket) => {
      if (toDirectory === undefined) {
        toDirectory = pipeTo(socket, directory.port);
        return;
      }
      socket.on('data', (data: Buffer) => sent.push(data));
    });
    const ours = open(
      settingsFor(directory, { security: 'start-tls', servers: [`127.0.0.1:${portOf(between)}`], connectTimeoutSeconds: 1 }),
    );
    try {
      await ours.search('ada', { limit: 1, signal: ours.signal });
      toDirectory?.destroy();
      await assert.rejects(ours.signIn('ada'), ({ code }: { code: string }) => /^ldap-/.test(code));
      const said = Buffer.concat(sent).toString('latin1');
      assert.ok(said.includes('1.3.6.1.4.1.1466.20037'));
      for (const secret of [searcher.password, password('ada'), 'searcher', 'ada']) assert.ok(!said.includes(secret), secret);
    } finally {
      await ours.end();
      between.close();
    }
  });
});

it('many at once are answered by few connections', async () => {
  const few = await startDirectory(people);
  const ours = open(settingsFor(few));
  try {
    const signedIn = await Promise.all(Array.from({ length: 40 }, () => ours.signIn('ada')));
    assert.ok(signedIn.every((one) => one?.username === 'ada'));
    let [now, most] = [0, 0];
    for (const line of few.lines) {
      if (line.includes(' ACCEPT ')) now++;
      if (line.includes(' closed')) now--;
      most = Math.max(most, now);
    }
    // Eight in use and eight kept, and some whose end the server has not seen yet; each sign-in by itself would have two.
    assert.ok(most <= 30, `${most} connections at once`);
  } finally {
    await ours.end();
    await few.stop();
  }
});

it('whoever no longer waits ends what was asked for him', async () => {
  const hanging = await startDirectory(people);
  const ours = open(settingsFor(hanging, { timeoutSeconds: 60, connectTimeoutSeconds: 60 }));
  const waiting = new AbortController();
  try {
    await hanging.pause();
    const asked = ours.search('ada', { limit: 1, signal: waiting.signal });
    waiting.abort(new Error('gone'));
    await assert.rejects(asked, /gone/);
  } finally {
    hanging.resume();
    await ours.end();
    await hanging.stop();
  }
});

async function listen(onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return Object(server.address()).port;
}

function pipeTo(socket: Socket, port: number): Socket {
  const other = connect(port, '127.0.0.1');
  other.on('error', () => undefined).on('close', () => socket.destroy());
  socket.on('close', () => other.destroy());
  socket.pipe(other).pipe(socket);
  return other;
}
