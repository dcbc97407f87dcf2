/**
 * Base64 with padding, as Go's StdEncoding takes it: line breaks are left out, anything else that does not belong is an error.
 * Gives the bytes, or the position of the byte that Go names.
 */
export function decodeGoBase64(text: string): Buffer | number {
  const bytes = Buffer.from(text, 'base64');
  // Nearly always it is in the one form that Node would write itself.
  if (bytes.toString('base64') === text) return bytes;
  return problemIn(Buffer.from(text)) ?? bytes;
}

function problemIn(text: Uint8Array): number | undefined {
  let at = 0;
  const skipBreaks = (): void => {
    while (text[at] === 0x0a || text[at] === 0x0d) at++;
  };
  for (;;) {
    let digits = 0;
    for (skipBreaks(); digits < 4 && isDigit(text[at]); skipBreaks()) {
      at++;
      digits++;
    }
    if (digits === 4) continue;
    if (at >= text.length) return digits === 0 ? undefined : at - digits;
    if (text[at] !== padding || digits < 2) return at;
    at++;
    skipBreaks();
    if (digits === 2) {
      if (at >= text.length) return text.length;
      if (text[at] !== padding) return at - 1;
      at++;
      skipBreaks();
    }
    return at < text.length ? at : undefined;
  }
}

const padding = 0x3d;
const digitBytes = new Set(Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'));

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && digitBytes.has(byte);
}
