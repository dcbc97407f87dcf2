/**
 * Splits a stream of bytes into JSON values, one a line, as a watch sends them. A line that is not JSON throws: dropping it would lose an
 * event in silence.
 */
export async function* readJsonLines(body: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  // Pieces of one long line are kept apart until its end: adding them up one by one is quadratic for objects of megabytes.
  let pieces: string[] = [];
  for await (const chunk of body) {
    let text = decoder.decode(chunk, { stream: true });
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n')) {
      pieces.push(text.slice(0, at));
      text = text.slice(at + 1);
      const line = pieces.join('');
      pieces = [];
      if (line !== '') yield JSON.parse(line);
    }
    if (text !== '') pieces.push(text);
  }
  const rest = pieces.join('');
  if (rest !== '') yield JSON.parse(rest);
}

/** The whole body as text. */
export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}
