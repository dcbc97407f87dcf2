import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Check } from './check.ts';

/** Every relative link of every Markdown file leads to a file or folder, and to a heading where it names one. */
export const links: Check = {
  name: 'document links',
  run: async (files) => {
    const documents = files.filter((file) => file.endsWith('.md'));
    const texts = new Map(await Promise.all(documents.map(async (file) => [file, await readFile(file, 'utf8')] as const)));
    const findings: string[] = [];
    let count = 0;
    for (const [file, text] of texts) {
      for (const link of relativeLinks(text)) {
        count += 1;
        const problem = problemOf(file, link, texts);
        if (problem !== undefined) findings.push(`${file}: ${link}: ${problem}`);
      }
    }
    return { detail: `${count} links in ${documents.length} documents`, findings };
  },
};

/** The targets of `[text](target)` and `![text](target)` outside code that stay within the repository. */
export function relativeLinks(markdown: string): readonly string[] {
  const prose = markdown.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '');
  const targets = [...prose.matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !/^[a-z][a-z+.-]*:/i.test(target));
}

/** The names that a `#fragment` may have: the headings as code hosts spell them. */
export function anchorsOf(markdown: string): readonly string[] {
  const headings = [...markdown.replace(/^```.*?^```/gms, '').matchAll(/^#+\s+(.*)$/gm)].map(([, heading = '']) => heading);
  return headings.map((heading) =>
    heading
      .trim()
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

function problemOf(file: string, link: string, texts: ReadonlyMap<string, string>): string | undefined {
  const [path = '', fragment] = link.split('#');
  const target = path === '' ? file : join(dirname(file), decodeURIComponent(path));
  if (!existsSync(target)) return 'there is no such file';
  const text = texts.get(target);
  if (fragment === undefined || text === undefined || anchorsOf(text).includes(decodeURIComponent(fragment))) return undefined;
  return 'there is no such heading';
}
