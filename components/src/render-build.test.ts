import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kubernetes } from '../kubernetes/component.ts';
import { pause } from '../pause/component.ts';
import { runc } from '../runc/component.ts';
import { compilerFor, renderBuild } from './render-build.ts';
import { components } from './table.ts';

const common = { arch: 'amd64', minor: '1.36', out: '/out', sources: '/src', parallel: 2 } as const;
const environment = { GOOS: 'linux', GOARCH: 'amd64', GOAMD64: 'v1', GOFLAGS: '', GOEXPERIMENT: '', GOWORK: 'off' };

test('Kubernetes is one binary without cgo that knows its version', () => {
  const values = ['gitVersion=v1.36.3', 'gitMajor=1', 'gitMinor=36', 'gitCommit=unknown', 'gitTreeState=archive'];
  const variables = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((where) =>
    values.map((value) => `-X ${where}.${value}`),
  );
  const flags = ['-v', '-p', '2', '-trimpath', '-buildvcs=false', '-mod=readonly'];
  assert.deepEqual(renderBuild({ component: kubernetes, ...common }), [
    {
      file: 'kubernetes',
      command: 'go',
      args: ['build', ...flags, '-ldflags', `-s -w ${variables.join(' ')}`, '-o', '/out/kubernetes', '.'],
      env: { ...environment, CGO_ENABLED: '0' },
    },
  ]);
});

test('runc is linked statically with cgo', () => {
  const [step] = renderBuild({ component: runc, ...common });
  assert.deepEqual(step?.args.slice(7), [
    '-tags',
    'seccomp,netgo,osusergo,urfave_cli_no_docs',
    '-ldflags',
    '-s -w -extldflags -static',
    '-o',
    '/out/runc',
    'github.com/opencontainers/runc',
  ]);
  assert.deepEqual(step?.env, { ...environment, CGO_ENABLED: '1', CC: compilerFor('amd64', 'amd64'), CGO_CFLAGS: '-O2', CGO_LDFLAGS: '' });
});

test('pause is a static C program of the sources of Kubernetes', () => {
  assert.deepEqual(renderBuild({ component: pause, ...common }), [
    {
      file: 'pause',
      command: 'gcc',
      args: ['-Os', '-Wall', '-Werror', '-static', '-s', '-DVERSION=v3.10.2', '-o', '/out/pause', '/src/build/pause/linux/pause.c'],
      env: {},
    },
  ]);
});

test('another architecture is built with its cross compiler', () => {
  assert.equal(compilerFor('arm64', 'amd64'), 'aarch64-linux-gnu-gcc');
  assert.equal(compilerFor('riscv64', 'amd64'), 'riscv64-linux-gnu-gcc');
  assert.equal(compilerFor('arm64', 'arm64'), 'gcc');
});

test('no two components put a file of the same name into the bundle', () => {
  const names = components.filter(({ goesTo }) => goesTo === 'bin').flatMap(({ outputs }) => outputs.map(({ file }) => file));
  assert.deepEqual(names, [...new Set(names)]);
});
