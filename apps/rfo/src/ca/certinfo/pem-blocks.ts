/** PEM taken apart block by block in the way of Go's encoding/pem: what cfssl refuses depends on what is left after a block. */

export type TextBlock = {
  readonly label: string;
  /** `Proc-Type` and the like, of old encrypted keys. */
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
};

/** The first sound block and what follows it; undefined when there is none. Text before the block is passed over. */
export function takePemBlock(text: string): { readonly block: TextBlock; readonly rest: string } | undefined {
  for (const match of text.matchAll(pattern)) {
    const [whole, label = '', content = ''] = match;
    const block = readBlock(label, content);
    if (block !== undefined) return { block, rest: text.slice(match.index + whole.length) };
  }
  return undefined;
}

/** From the last BEGIN line before an END line of the same label. */
const pattern = /(?<=^|\n)-----BEGIN ([^\n]*?)-----[ \t\r]*\n((?:(?!-----BEGIN )[\s\S])*?)(?<=\n)-----END \1-----[ \t\r]*(?:\n|$)/g;

function readBlock(label: string, content: string): TextBlock | undefined {
  const lines = content.split('\n');
  const body = lines.findIndex((line) => !line.includes(':'));
  const headers = lines.slice(0, body).map(
    (line) =>
      /^([^:]*):(.*)$/
        .exec(line)
        ?.slice(1)
        .map((part) => part.trim()) ?? [],
  );
  const base64 = lines.slice(body).join('').replace(/\s/g, '');
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return undefined;
  return { label, headers: Object.fromEntries(headers), bytes: Buffer.from(base64, 'base64') };
}
