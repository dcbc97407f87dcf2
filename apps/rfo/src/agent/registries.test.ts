import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRegistries, renderRegistryHosts } from './registries.ts';

const render = (text: string, disableDefaultEndpoint = false): Record<string, string> => {
  const registries = parseRegistries(text, '/etc/r.yaml');
  const files = renderRegistryHosts({ registries, folder: '/certs.d', file: '/etc/r.yaml', disableDefaultEndpoint });
  return Object.fromEntries(files.map(({ path, content }) => [path, content]));
};

describe('registries.yaml', () => {
  test('sends pulls to the mirrors in their order, then to the registry itself', () => {
    assert.deepEqual(render('mirrors: {docker.io: {endpoint: ["https://a.example:5000", "b.example/v2/hub"]}}'), {
      '/certs.d/docker.io/hosts.toml': `server = "https://registry-1.docker.io"
capabilities = ["pull", "resolve"]

[host."https://a.example:5000"]
capabilities = ["pull", "resolve"]

[host."https://b.example/v2/hub"]
capabilities = ["pull", "resolve"]
override_path = true
`,
    });
  });

  test('never asks the registry itself when that is forbidden', () => {
    const files = render(
      'mirrors: {docker.io: {endpoint: ["https://a.example", "https://b.example"]}, "*": {endpoint: ["https://c.example"]}}',
      true,
    );
    assert.equal(
      files['/certs.d/docker.io/hosts.toml'],
      'server = "https://b.example"\ncapabilities = ["pull", "resolve"]\n\n[host."https://a.example"]\ncapabilities = ["pull", "resolve"]\n',
    );
    assert.equal(files['/certs.d/_default/hosts.toml'], 'server = "https://c.example"\ncapabilities = ["pull", "resolve"]\n');
  });

  test('gives each endpoint its own credentials and certificates', () => {
    const files = render(`
mirrors: {"*": {endpoint: ["https://m.example:5000"]}}
configs:
  m.example:5000:
    auth: {username: u, password: p}
    tls: {ca_file: /ca, cert_file: /crt, key_file: /key, insecure_skip_verify: true}
  quay.io: {auth: {auth: eDp5}}
`);
    assert.equal(
      files['/certs.d/_default/hosts.toml'],
      `[host."https://m.example:5000"]
capabilities = ["pull", "resolve"]
ca = "/ca"
client = [["/crt", "/key"]]
skip_verify = true

[host."https://m.example:5000".header]
authorization = "Basic dTpw"
`,
    );
    assert.equal(
      files['/certs.d/quay.io/hosts.toml'],
      'server = "https://quay.io"\ncapabilities = ["pull", "resolve"]\n\n[header]\nauthorization = "Basic eDp5"\n',
    );
  });

  test('does a rewrite that is a prefix, and refuses others', () => {
    const files = render('mirrors: {docker.io: {endpoint: ["https://a.example"], rewrite: {"^(.*)$": "proxy/hub/$1"}}}');
    assert.match(files['/certs.d/docker.io/hosts.toml'] ?? '', /^\[host\."https:\/\/a\.example\/v2\/proxy\/hub"\]$/m);
    assert.throws(() => render('mirrors: {docker.io: {endpoint: ["https://a.example"], rewrite: {"^x/(.*)": "y/$1"}}}'), {
      code: 'config-invalid',
      message: /^mirrors\.docker\.io\.rewrite in \/etc\/r\.yaml: containerd cannot rewrite "\^x\/\(\.\*\)" to "y\/\$1"/,
    });
  });

  test('names the place of a mistake', () => {
    assert.throws(() => render('mirrors: {docker.io: {endpoint: ["https://"]}}'), { code: 'config-invalid' });
    assert.throws(() => render('mirrors: {docker.io: {endpoint: 5}}'), {
      message: /^mirrors\.docker\.io\.endpoint in \/etc\/r\.yaml: is not of the type array/,
    });
    assert.throws(() => render('mirors: {}'), { code: 'config-unknown-key', message: /"mirors"/ });
    assert.throws(() => render('configs: {a: {auth: {token: t}}}'), { message: /identity tokens/ });
    assert.throws(() => render('{'), { code: 'config-unreadable' });
    assert.deepEqual(render(''), {});
  });
});
