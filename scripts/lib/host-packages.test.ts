import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atVersion, fetchCommand, installCommand, missingPackages, type Probe, versionCommand } from './host-packages.ts';

const nothing = (): boolean => false;
const all = (): boolean => true;
const nameOf = (probe: Probe): string => ('command' in probe ? probe.command : probe.file);

test('a host that has everything needs no package', () => {
  assert.deepEqual(missingPackages({ manager: 'apt', purposes: ['build', 'run', 'test', 'full-hosts', 'browser'], present: all }), []);
});

test('a bare Debian host gets each package once, with the first reason for it', () => {
  assert.deepEqual(missingPackages({ manager: 'apt', purposes: ['build', 'run'], present: nothing }), [
    { name: 'libseccomp-dev', why: 'runc filters system calls with it' },
    { name: 'libc6-dev', why: 'runc and pause are linked statically' },
    { name: 'pkg-config', why: 'finds libseccomp for runc' },
    { name: 'iptables', why: 'services and host ports' },
    { name: 'nftables', why: 'services where the kernel has nftables' },
    { name: 'iproute2', why: 'network interfaces of pods' },
    { name: 'kmod', why: 'loads kernel modules' },
    { name: 'mount', why: 'volumes of pods' },
    { name: 'util-linux', why: 'tries what the kernel can do' },
  ]);
});

test('openEuler and its kin get their own names', () => {
  const names = missingPackages({ manager: 'dnf', purposes: ['build', 'run'], present: nothing }).map(({ name }) => name);
  assert.deepEqual(names, [
    'libseccomp-devel',
    'libseccomp-static',
    'glibc-static',
    'pkgconf-pkg-config',
    'iptables',
    'nftables',
    'iproute',
    'kmod',
    'util-linux',
  ]);
});

test('only what is missing is installed, and only for what is asked', () => {
  const present = (probe: Probe): boolean => !['nft', 'mkfs.ext4'].includes(nameOf(probe));
  assert.deepEqual(missingPackages({ manager: 'apt', purposes: ['build', 'run'], present }), [
    { name: 'nftables', why: 'services where the kernel has nftables' },
  ]);
  assert.deepEqual(missingPackages({ manager: 'apt', purposes: ['test'], present }), [
    { name: 'e2fsprogs', why: 'the full-disk scenario' },
  ]);
});

test("full hosts of the lab are nobody else's business", () => {
  const present = (probe: Probe): boolean => !['debootstrap', 'systemd-nspawn', 'ssh'].includes(nameOf(probe));
  assert.deepEqual(missingPackages({ manager: 'apt', purposes: ['build', 'run', 'test'], present }), []);
  assert.deepEqual(missingPackages({ manager: 'apt', purposes: ['full-hosts'], present }), [
    { name: 'debootstrap', why: 'the root file system of full hosts' },
    { name: 'systemd-container', partOf: 'systemd', why: 'boots full hosts' },
    { name: 'openssh-client', why: 'logs in to full hosts' },
  ]);
  const names = missingPackages({ manager: 'dnf', purposes: ['full-hosts'], present }).map(({ name }) => name);
  assert.deepEqual(names, ['debootstrap', 'systemd-container', 'openssh-clients']);
});

test('a browser is there for the scenarios that need one alone', () => {
  const present = (probe: Probe): boolean => nameOf(probe) !== 'chromium';
  assert.deepEqual(missingPackages({ manager: 'apt', purposes: ['build', 'run', 'test', 'full-hosts'], present }), []);
  for (const manager of ['apt', 'dnf'] as const)
    assert.deepEqual(missingPackages({ manager, purposes: ['browser'], present }), [
      { name: 'chromium', why: 'opens the pages of the manager' },
    ]);
});

test('a part of systemd is asked for in the version that the host has', () => {
  assert.equal(atVersion('apt', 'systemd-container', '252.38-1~deb12u1'), 'systemd-container=252.38-1~deb12u1');
  assert.equal(atVersion('dnf', 'systemd-container', '249-70.oe2203'), 'systemd-container-249-70.oe2203');
  assert.deepEqual(versionCommand('apt', 'systemd'), ['dpkg-query', '--show', `--showformat=\${Version}`, 'systemd']);
  assert.deepEqual(versionCommand('dnf', 'systemd'), ['rpm', '--query', '--queryformat=%{VERSION}-%{RELEASE}', 'systemd']);
});

test('a package that would start a service is fetched for unpacking, and only on Debian', () => {
  const present = (probe: Probe): boolean => nameOf(probe) !== 'slapd';
  const why = 'the directory that people sign in by';
  assert.deepEqual(missingPackages({ manager: 'apt', purposes: ['test'], present }), [{ name: 'slapd', unpacked: true, why }]);
  assert.deepEqual(missingPackages({ manager: 'dnf', purposes: ['test'], present }), [{ name: 'openldap-servers', why }]);
  assert.equal(
    fetchCommand('slapd', '/tmp/fetched').join(' '),
    'apt-get install -y --no-install-recommends --download-only -o Dir::Cache::archives=/tmp/fetched -o Debug::NoLocking=1 slapd',
  );
});

test('the packages are installed by one call that asks nothing', () => {
  assert.deepEqual(installCommand('apt', ['kmod', 'nftables']), [
    'apt-get',
    'install',
    '-y',
    '--no-install-recommends',
    'kmod',
    'nftables',
  ]);
  assert.deepEqual(installCommand('dnf', ['kmod']), [
    'dnf',
    'install',
    '-y',
    '--setopt=strict=0',
    '--setopt=install_weak_deps=False',
    'kmod',
  ]);
});
