import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { CfsslError } from '../cfssl-error.ts';
import { strict } from '../signing/compat.ts';
import { readAuthKey } from './auth-key.ts';
import { findProfile } from './find-profile.ts';
import { defaultSigningConfig, readSigningConfig } from './read-config.ts';
import type { Profile, SigningConfig } from './types.ts';

const hour = 3_600_000;

function read(config: unknown, options: { allowEmptyKeys?: boolean } = {}): Promise<SigningConfig> {
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  return readSigningConfig(text, {
    readKey: (spec) => readAuthKey(spec, { environment: { KEY: 'ABCD' }, file: async () => ' 0102\n' }),
    ...options,
  });
}

async function readProfile(profile: object, rest: object = {}): Promise<Profile> {
  const config = await read({ signing: { default: { expiry: '1h', usages: ['server auth'] }, profiles: { one: profile } }, ...rest });
  return findProfile(config, 'one', strict);
}

const usual = { expiry: '1h', usages: ['server auth'] };
const keys = {
  auth_keys: { key1: { type: 'standard', key: '0123456789ABCDEF0123456789abcdef' }, key2: { type: 'standard', key: 'env:KEY' } },
};
const remotes = { remotes: { 'one-remote': 'https://10.0.0.1:8888,ca.example', 'empty': '' } };

describe('a configuration of cfssl', () => {
  it('is read whole', async () => {
    const profile = await readProfile({
      usages: ['signing', 'digital signature', 'ocsp signing', 'unheard of', 's/mime', 'server auth', 'microsoft sgc'],
      expiry: '26280h',
      backdate: '30m',
      not_before: '2026-01-01T00:00:00Z',
      not_after: '2027-01-01T00:00:00+02:00',
      issuer_urls: ['http://issuer'],
      ocsp_url: 'http://ocsp',
      crl_url: 'http://crl',
      ocsp_no_check: true,
      copy_extensions: true,
      ca_constraint: { is_ca: true, max_path_len: 1 },
      name_whitelist: '(?i)^NODE',
      allowed_extensions: ['1.2.3'],
      CSRWhitelist: { Subject: true, DNSNames: false, URIs: true },
      Policies: [{ ID: '1.2.3.4' }],
      ClientProvidesSerialNumbers: true,
      rfo_bind: 'node',
    });
    const { nameWhitelist, policies, ...rest } = profile;
    assert.deepEqual(rest, {
      name: 'one',
      usageNames: ['signing', 'digital signature', 'ocsp signing', 'unheard of', 's/mime', 'server auth', 'microsoft sgc'],
      keyUsages: ['digitalSignature'],
      usages: ['ocspSigning', 'emailProtection', 'serverAuth', '1.3.6.1.4.1.311.10.3.3'],
      expiryText: '26280h',
      expiry: 26_280 * hour,
      backdate: hour / 2,
      notBefore: Date.parse('2026-01-01T00:00:00Z'),
      notAfter: Date.parse('2026-12-31T22:00:00Z'),
      issuerUrls: ['http://issuer'],
      ocspUrl: 'http://ocsp',
      crlUrl: 'http://crl',
      ocspNoCheck: true,
      copyExtensions: true,
      allowedExtensions: ['1.2.3'],
      ca: { pathLength: 1 },
      csrWhitelist: new Set(['Subject', 'URIs']),
      clientProvidesSerialNumbers: true,
      bind: 'node',
      authKeys: [],
    });
    assert.equal(nameWhitelist?.test('node-1'), true);
    assert.deepEqual(
      policies.map(({ oid }) => oid),
      ['2.5.29.32'],
    );
  });

  it('is filled up from its default profile', async () => {
    const main = { expiry: '168h', ocsp_url: 'http://ocsp', crl_url: 'http://crl', issuer_urls: ['http://issuer'] };
    const config = await read({
      signing: { default: main, profiles: { one: { ...usual, expiry: '0h' }, two: { ...usual, issuer_urls: [] } } },
    });
    const { expiry, expiryText, ocspUrl, crlUrl, issuerUrls, backdate } = findProfile(config, 'one', strict);
    assert.deepEqual(
      { expiry, expiryText, ocspUrl, crlUrl, issuerUrls, backdate },
      {
        expiry: 168 * hour,
        expiryText: '0h',
        ocspUrl: 'http://ocsp',
        crlUrl: 'http://crl',
        issuerUrls: ['http://issuer'],
        backdate: hour / 12,
      },
    );
    assert.deepEqual(findProfile(config, 'two', strict).issuerUrls, []);
    assert.deepEqual(findProfile(config, '', strict).usageNames, []);
  });

  it('has a default profile of a year where it names none', async () => {
    const config = await read({ signing: { profiles: { one: usual } } });
    assert.deepEqual(config.defaultProfile, defaultSigningConfig().defaultProfile);
    const { expiry, usageNames, keyUsages, usages } = config.defaultProfile;
    assert.deepEqual(
      { expiry, usageNames, keyUsages, usages },
      {
        expiry: 8760 * hour,
        usageNames: ['signing', 'key encipherment', 'server auth', 'client auth'],
        keyUsages: ['digitalSignature', 'keyEncipherment'],
        usages: ['serverAuth', 'clientAuth'],
      },
    );
  });

  it('is read as Go reads JSON: names in any case, unknown ones and null passed over, the last of doubles', async () => {
    const config = await read(
      '{"SIGNING":{"Default":{"EXPIRY":"1h","expiry":"2h","nothing":[1],"usages":null},"profiles":null},"ocsp":{"x":1}}',
    );
    assert.equal(config.defaultProfile.expiry, 2 * hour);
  });

  for (const [constraint, expected] of [
    [{ is_ca: true }, {}],
    [{ is_ca: true, max_path_len: 0, max_path_len_zero: true }, { pathLength: 0 }],
    [{ is_ca: true, max_path_len: 2, max_path_len_zero: true }, { pathLength: 2 }],
    [{ is_ca: true, max_path_len: -1 }, {}],
    [{ is_ca: false, max_path_len: 2 }, undefined],
  ] as const)
    it(`reads the constraint ${JSON.stringify(constraint)}`, async () => {
      assert.deepEqual((await readProfile({ ...usual, ca_constraint: constraint })).ca, expected);
    });
});

describe('keys', () => {
  it('are read in hex, from a variable, and from a file; the present one stands before the one it follows', async () => {
    const authKeys = { ...keys.auth_keys, key3: { type: 'standard', key: 'file:/key' } };
    const profile = await readProfile({ ...usual, auth_key: 'key1', prev_auth_key: 'key3' }, { auth_keys: authKeys });
    assert.deepEqual(
      profile.authKeys.map((key) => key.toString('hex')),
      ['0123456789abcdef0123456789abcdef', '0102'],
    );
  });

  it('that no profile names are those of operators', async () => {
    const authKeys = { ...keys.auth_keys, again: { type: 'standard', key: '0123456789abcdef0123456789abcdef' } };
    const config = await read({ signing: { default: { ...usual, auth_key: 'key1' } }, auth_keys: authKeys });
    assert.deepEqual(
      config.operatorKeys.map((key) => key.toString('hex')),
      ['abcd'],
    );
  });

  it('that no profile names may be of a kind that nobody knows', async () => {
    const config = await read({
      signing: { default: usual },
      auth_keys: { a: { type: 'standard-ip', key: '00' }, b: { type: 'standard', key: 'zz' } },
    });
    assert.deepEqual(config.operatorKeys, []);
  });

  for (const [what, key, text] of [
    ['of another type', { type: 'standard-ip', key: '00' }, 'unknown authentication type'],
    ['without a type', { key: '00' }, 'unknown authentication type'],
    ['that is no hex', { type: 'standard', key: 'xyz0' }, 'failed to create new standard auth provider'],
    ['of half a byte', { type: 'standard', key: '012' }, 'failed to create new standard auth provider'],
    ['with another prefix', { type: 'standard', key: 'http://key' }, 'failed to create new standard auth provider'],
    ['that is empty', { type: 'standard', key: '' }, 'failed to create new standard auth provider: the key is empty'],
    [
      'of a variable that is not set',
      { type: 'standard', key: 'env:NOT_SET' },
      'failed to create new standard auth provider: the key is empty',
    ],
  ] as const)
    it(`${what} are refused where a profile names them`, async () => {
      const config = { signing: { default: { ...usual, auth_key: 'key' } }, auth_keys: { key } };
      await assert.rejects(read(config), new CfsslError(5200, text));
    });

  it('may be empty where that is allowed', async () => {
    const config = { signing: { default: { ...usual, auth_key: 'key' } }, auth_keys: { key: { type: 'standard', key: 'env:NOT_SET' } } };
    assert.deepEqual((await read(config, { allowEmptyKeys: true })).defaultProfile.authKeys, [Buffer.alloc(0)]);
  });

  it('are read from the real environment and from real files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'rfo-auth-key-'));
    try {
      writeFileSync(join(folder, 'key'), '\n 00ff \n');
      assert.deepEqual(await readAuthKey(`file:${join(folder, 'key')}`), Buffer.from('00ff', 'hex'));
      await assert.rejects(readAuthKey(`file:${join(folder, 'none')}`), { code: 'ENOENT' });
    } finally {
      rmSync(folder, { recursive: true });
    }
    assert.deepEqual(await readAuthKey('env:RFO_NO_SUCH_KEY'), Buffer.alloc(0));
  });
});

describe('profiles of another CA', () => {
  it('need no expiry and no usages', async () => {
    const profile = await readProfile({ auth_remote: { remote: 'one-remote', auth_key: 'key1' } }, { ...keys, ...remotes });
    assert.deepEqual(profile.remote?.addresses, ['https://10.0.0.1:8888', 'ca.example']);
    assert.equal(profile.remote?.authKey?.toString('hex'), '0123456789abcdef0123456789abcdef');
    assert.deepEqual((await readProfile({ remote: 'one-remote', auth_key: 'key1' }, { ...keys, ...remotes })).remote, {
      addresses: ['https://10.0.0.1:8888', 'ca.example'],
    });
  });

  it('are what the client of a CA has as its default', async () => {
    const config = await read({ signing: { default: { auth_remote: { remote: 'one-remote', auth_key: 'key1' } } }, ...keys, ...remotes });
    assert.equal(config.defaultProfile.remote?.addresses.length, 2);
  });
});

describe('what cfssl refuses', () => {
  const one = (profile: unknown, rest: object = {}): object => ({ signing: { default: usual, profiles: { one: profile } }, ...rest });
  for (const [what, config, text] of [
    ['no JSON', '{"signing":', 'failed to unmarshal configuration: unexpected end of JSON input'],
    ['no object', '[]', 'failed to unmarshal configuration: json: cannot unmarshal array into Go value of type config.Config'],
    ['no signing', {}, 'No "signing" field present'],
    ['no signing but null', { signing: null }, 'No "signing" field present'],
    ['a default without expiry', { signing: { default: { usages: ['signing'] } } }, 'empty expiry string'],
    ['a default of no time', { signing: { default: { expiry: '0s', usages: ['signing'] } } }, 'invalid configuration'],
    ['days', one({ ...usual, expiry: '7d' }), 'time: unknown unit "d" in duration "7d"'],
    ['a bare number of time', one({ ...usual, backdate: '60' }), 'time: missing unit in duration "60"'],
    ['a profile that is null', one(null), "can't parse nil profile"],
    ['a profile without expiry', one({ usages: ['signing'] }), 'empty expiry string'],
    ['a profile without usages', one({ expiry: '1h' }), 'invalid configuration'],
    ['usages that nobody knows', one({ expiry: '1h', usages: ['magic', 'SERVER AUTH'] }), 'invalid configuration'],
    ['a key that is not there', one({ ...usual, auth_key: 'none' }, keys), 'failed to find auth_key in auth_keys section'],
    ['no keys at all', one({ ...usual, auth_key: 'key1' }), 'failed to find auth_key in auth_keys section'],
    ['a former key that is not there', one({ ...usual, prev_auth_key: 'none' }, keys), 'failed to find prev_auth_key in auth_keys section'],
    ['a remote that is not there', one({ remote: 'none' }, remotes), 'failed to find remote in remotes section'],
    [
      'a remote without address',
      one({ auth_remote: { remote: 'empty', auth_key: 'key1' } }, { ...keys, ...remotes }),
      'failed to find remote in remotes section',
    ],
    [
      'two kinds of remote',
      one({ remote: 'one-remote', auth_remote: { remote: 'one-remote', auth_key: 'key1' } }, { ...keys, ...remotes }),
      'Invalid or unknown policy',
    ],
    ['an authenticated remote without key', one({ auth_remote: { remote: 'one-remote' } }, remotes), 'invalid configuration'],
    ['its key alone', one({ ...usual, auth_remote: { auth_key: 'key1' } }, keys), 'invalid configuration'],
    [
      'its key not there',
      one({ auth_remote: { remote: 'one-remote', auth_key: 'none' } }, remotes),
      "failed to find auth_remote's auth_key in auth_keys section",
    ],
    ['a whitelist that Go does not compile', one({ ...usual, name_whitelist: '(?=a)' }), 'failed to compile name whitelist section'],
    [
      'a qualifier of another type',
      one({ ...usual, Policies: [{ ID: '1.2.3', Qualifiers: [{ Type: 'x', Value: 'y' }] }] }),
      'invalid policy qualifier type',
    ],
    [
      'an extension that is no identifier',
      one({ ...usual, allowed_extensions: ['abc'] }),
      'failed to unmarshal configuration: Invalid OID',
    ],
    [
      'an end before the beginning',
      one({ ...usual, not_before: '2026-01-02T00:00:00Z', not_after: '2026-01-01T00:00:00Z' }),
      'invalid configuration',
    ],
  ] as const)
    it(`${what}: ${text}`, async () => assert.rejects(read(config), new CfsslError(5200, text)));

  it('a value of the wrong kind', async () => {
    await assert.rejects(read(one({ ...usual, usages: 'signing' })), {
      code: 5200,
      message: /^failed to unmarshal configuration: json: cannot unmarshal string into Go struct field SigningProfile\./,
    });
  });
});

describe('what we refuse', () => {
  for (const [what, extra, text] of [
    ['logs of transparency', { ct_log_servers: ['https://log.example'] }, /ct_log_servers/],
    ['lints', { lint_error_level: 'warn' }, /lint_error_level/],
    ['another binding', { rfo_bind: 'pod' }, /rfo_bind: "pod"/],
  ] as const)
    it(`${what}, rather than to pass them over`, async () => {
      await assert.rejects(
        readProfile({ ...usual, ...extra }),
        (error) => error instanceof CfsslError && error.code === 5200 && text.test(error.message),
      );
    });

  it('nothing that switches them off', async () => {
    await readProfile({ ...usual, ct_log_servers: [], lint_error_level: 0 });
  });
});

describe('findProfile', () => {
  it('finds the default profile without a name and by its own', () => {
    const config = defaultSigningConfig();
    assert.equal(findProfile(config, '', strict), config.defaultProfile);
    assert.equal(findProfile(config, 'default', strict), config.defaultProfile);
  });

  it('takes an unknown name for the default profile only where that is allowed', () => {
    const config = defaultSigningConfig();
    assert.throws(() => findProfile(config, 'www', strict), new CfsslError(5400, 'Unknown policy profile'));
    assert.equal(findProfile(config, 'www', new Set(['default-profile'])), config.defaultProfile);
  });
});
