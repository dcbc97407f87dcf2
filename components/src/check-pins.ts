import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '@rfo/foundation';
import { defaultMinor, versions } from '../versions.ts';
import type { Component } from './component.ts';
import { moduleFolder, repositoryRoot } from './paths.ts';
import { runCommand } from './run-command.ts';
import { components } from './table.ts';
import { isOlder } from './toolchain.ts';

export type PinRow = {
  readonly name: string;
  readonly module: string;
  /** What versions.ts says. */
  readonly pinned: string;
  /** What go.mod says. */
  readonly found: string;
  readonly licence: string;
  /** Newest release with the same major version, where it is newer than the pin; `not known` where the module proxy has no list of versions. */
  readonly newer: string | undefined;
  readonly matches: boolean;
};

/** Compares each go.mod with versions.ts, and asks Go's module proxy what is newer. Throws module-unreadable where Go cannot answer. */
export async function checkPins(signal: AbortSignal): Promise<PinRow[]> {
  const rows = components.flatMap((component) => component.modules.map((module) => checkModule(component, module, signal)));
  return await Promise.all(rows);
}

/** Renders the rows as an aligned table with a heading. */
export function renderPins(rows: readonly PinRow[]): string {
  const cells = rows.map((row) => [
    row.name,
    row.module,
    row.pinned,
    row.matches ? 'yes' : `NO: ${row.found}`,
    row.licence,
    row.newer ?? '-',
  ]);
  const table = [['part', 'module', 'versions.ts', 'go.mod agrees', 'licence', 'newer'], ...cells];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((line) => line[column]?.length ?? 0))) ?? [];
  return table
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The usual name of a licence by its text; `unknown` is for a person to look at. */
export function licenceName(text: string): string {
  const flat = text.replace(/\s+/g, ' ');
  if (/Apache License,? Version 2\.0/.test(flat)) return 'Apache-2.0';
  if (/Permission is hereby granted, free of charge/.test(flat)) return 'MIT';
  if (/Redistribution and use in source and binary forms/.test(flat))
    return /Neither the name/.test(flat) ? 'BSD-3-Clause' : 'BSD-2-Clause';
  if (/Mozilla Public License,? [Vv]ersion 2\.0/.test(flat)) return 'MPL-2.0';
  return 'unknown';
}

/** The newest of these versions that is a release, has the pin's major version and is newer than it. */
export function newestAfter(pinned: string, known: readonly string[]): string | undefined {
  const bare = (version: string): string => version.replace(/^v/, '');
  const major = pinned.split('.')[0];
  return known
    .filter((version) => /^v\d+\.\d+\.\d+$/.test(version) && version.split('.')[0] === major && isOlder(bare(pinned), bare(version)))
    .reduce<string | undefined>((best, version) => (best === undefined || isOlder(bare(best), bare(version)) ? version : best), undefined);
}

async function checkModule(component: Component, module: string, signal: AbortSignal): Promise<PinRow> {
  const go = (...args: readonly string[]): Promise<GoAnswer> => askGo(moduleFolder(repositoryRoot, component), args, signal);
  // pause has a version of its own, and comes with the module of Kubernetes.
  const pinned = versions[defaultMinor][component.sharesModuleOf === undefined ? component.pin : requirePin(component.sharesModuleOf)];
  required(module, await go('mod', 'download', module));
  const [found = '', directory = ''] = required(module, await go('list', '-m', '-f', '{{.Version}} {{.Dir}}', module))
    .trim()
    .split(' ');
  const list = await go('list', '-m', '-versions', module);
  const newer = list.problem === undefined ? newestAfter(pinned, list.output.trim().split(' ').slice(1)) : 'not known';
  return { name: component.name, module, pinned, found, licence: await readLicence(directory), newer, matches: found === pinned };
}

function requirePin(name: string): Component['pin'] {
  const component = components.find((one) => one.name === name);
  if (component === undefined) throw fail('component-unknown', { name, known: components.map((one) => one.name).join(', ') });
  return component.pin;
}

type GoAnswer = { readonly output: string; readonly problem: string | undefined };

async function askGo(folder: string, args: readonly string[], signal: AbortSignal): Promise<GoAnswer> {
  const errors: string[] = [];
  const env = { GOFLAGS: '', GOWORK: 'off' };
  const { status, output } = await runCommand({ command: 'go', args, cwd: folder, env, signal, onErrorLine: (line) => errors.push(line) });
  return { output, problem: status === 0 ? undefined : errors.slice(-5).join(' ') };
}

function required(module: string, answer: GoAnswer): string {
  if (answer.problem !== undefined) throw fail('module-unreadable', { module, problem: answer.problem });
  return answer.output;
}

async function readLicence(directory: string): Promise<string> {
  const file = (await readdir(directory)).find((name) => /^(LICENSE|LICENCE|COPYING)(\.|$)/i.test(name));
  return file === undefined ? 'unknown' : licenceName(await readFile(join(directory, file), 'utf8'));
}
