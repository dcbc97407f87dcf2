import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseCpuTime, parseMemory, processName, readCpu, readMemory, readStarts } from './usage.ts';

test('the memory of a process is its proportional set and the anonymous part of that, in bytes', () => {
  const text = 'aaaa-bbbb ---p 00000000 00:00 0    [rollup]\nRss:   900 kB\nPss:   500 kB\nPss_Dirty: 7 kB\nPss_Anon:   40 kB\n';
  assert.deepEqual(parseMemory(text), { pss: 512_000, anonymous: 40_960 });
  assert.equal(parseMemory(''), undefined);
});

test('a process is called by its program, an interpreter by what it runs', () => {
  assert.equal(processName('/var/lib/x/bin/kubelet\0--config\0'), 'kubelet');
  assert.equal(processName('/x/node\0/y/program.mjs\0server\0'), 'program.mjs');
  assert.equal(processName('rfo server'), 'rfo');
  assert.equal(processName('sleep 1000000'), 'sleep');
});

test('this very process is found with memory of its own and a start in the past', async () => {
  const own = processName(`node\0${process.argv[1]}`);
  const memory = (await readMemory('/proc')).find(({ name }) => name === own);
  assert.ok(memory !== undefined && memory.anonymous > 1e6 && memory.pss > memory.anonymous);
  const start = (await readStarts('/proc')).find(({ label }) => label === `process ${own}`);
  assert.ok(start !== undefined && Math.abs(start.at - performance.timeOrigin) < 5000, `${start?.at} is not ${performance.timeOrigin}`);
});

test('the CPU time of a process is that of its own two counters', () => {
  assert.equal(parseCpuTime('7 (a ) b) S 1 1 1 0 -1 4194560 10 20 0 0 150 50 999 999 20 0'), 2);
});

test('CPU time is read from the hierarchy that counts it, of either version', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rfo-bench-'));
  try {
    await writeFile(join(folder, 'cpu.stat'), 'usage_usec 2500000\nuser_usec 1\n');
    assert.equal(await readCpu(['/nowhere', folder]), 2.5);
    await writeFile(join(folder, 'cpuacct.usage'), '1500000000\n');
    assert.equal(await readCpu([folder]), 1.5);
    await assert.rejects(readCpu(['/nowhere']), /CPU time/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
