// Files that a user names on the command line.
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fail, systemCode } from '@rfo/foundation';

/** The text of a file, or of the standard input for `-`. @throws file-unusable */
export async function readGiven(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    const code = systemCode(error) ?? '';
    throw fail(
      'file-unusable',
      { file: nameOf(file), problem: problems[code] ?? String(error), cure: 'Name one that you may read' },
      error,
    );
  }
}

const problems: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'it may not be read by you',
};

/** The lines, the last line break taken off. @throws file-unusable */
export async function readGivenLines(file: string): Promise<readonly string[]> {
  return (await readGiven(file)).replace(/\r?\n$/, '').split(/\r?\n/);
}

/** The first line, which has to hold something. @param what it has to be @throws file-unusable */
export async function readFirstLine(file: string, what: string): Promise<string> {
  const [line = ''] = await readGivenLines(file);
  if (line === '') throw fail('file-unusable', { file: nameOf(file), problem: 'its first line is empty', cure: `Write ${what} into it` });
  return line;
}

function nameOf(file: string): string {
  return file === '-' ? 'the standard input' : file;
}
