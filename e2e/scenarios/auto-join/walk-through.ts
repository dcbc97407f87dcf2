/** The walk-through of docs/auto-join.md as what it is: commands for hosts, read out of the document and executed in its order. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { commandFailed, type Host, repository } from '../../lab/index.ts';
import { architecture } from './authority.ts';

export type Block = {
  /** The heading above it. */
  readonly chapter: string;
  readonly kind: 'commands' | 'command line';
  readonly host: string;
  readonly text: string;
};

/**
 * All blocks of commands. Each has a comment above it that says on which host; one without fails.
 * @param name file in `docs`
 */
export async function readWalkThrough(name: string): Promise<readonly Block[]> {
  const document = await readFile(join(repository, 'docs', name), 'utf8');
  const blocks: Block[] = [];
  let chapter = '';
  for (const [, heading, comment, language, text = ''] of document.matchAll(
    /^## ([^\n]*)$|(?:^<!-- ([^\n]*) -->\n)?^```(\w*)\n(.*?)^```$/gms,
  )) {
    if (heading !== undefined) chapter = heading;
    else {
      const [, on, of] = /^(?:on (\S+)|command line of (\S+))$/.exec(comment ?? '') ?? [];
      const host = on ?? of;
      assert.ok(
        host !== undefined && (on === undefined) === (language === 'text'),
        `${name}: a block of ${language} below "${chapter}" says for no host`,
      );
      blocks.push({ chapter, kind: on === undefined ? 'command line' : 'commands', host, text });
    }
  }
  return blocks;
}

/** Goes through the document chapter by chapter. */
export function walkThrough(blocks: readonly Block[], control: Host) {
  const done = new Set<Block>();
  // Addresses of the document (RFC 5737) become those of the lab, and its architecture that of this machine.
  const network = control.ip.replace(/\d+$/, '');
  const here = (text: string): string =>
    text.replaceAll('192.0.2.10', control.ip).replaceAll('192.0.2.', network).replaceAll('amd64', architecture);
  const next = (chapter: string, kind: Block['kind']): Block => {
    const block = blocks.find((one) => one.chapter === chapter && one.kind === kind && !done.has(one));
    assert.ok(block, `docs/auto-join.md has no further ${kind} below "${chapter}"`);
    done.add(block);
    return block;
  };
  return {
    /** Runs the next block of a chapter on its host; gives what it printed. */
    run: async (chapter: string, hosts: Readonly<Record<string, Host>>): Promise<string> => {
      const { host: name, text } = next(chapter, 'commands');
      const host = hosts[name];
      assert.ok(host, `the document speaks of a host ${name}`);
      const command = ['sh', '-euc', here(text)];
      const result = await host.exec(command, { timeout: 660_000 });
      if (result.code !== 0) throw commandFailed([`docs/auto-join.md, ${chapter}`], result);
      return result.stdout + result.stderr;
    },
    /** The words that a host is switched on with. */
    commandLine: (chapter: string): readonly string[] => here(next(chapter, 'command line').text).trim().split(/\s+/),
    /** Nothing of the document is left out. */
    assertWhole: () =>
      assert.deepEqual(
        blocks.filter((block) => !done.has(block)),
        [],
      ),
  };
}
export type WalkThrough = ReturnType<typeof walkThrough>;
