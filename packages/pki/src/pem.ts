/** PEM, the text form of keys and certificates (RFC 7468). */

export type PemBlock = { readonly label: string; readonly bytes: Buffer };

/** @param label for example `CERTIFICATE` */
export function encodePem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.map((line) => `${line}\n`).join('')}-----END ${label}-----\n`;
}

/** Every block of the text in order; what stands between blocks is left out. */
export function decodePem(text: string): PemBlock[] {
  const blocks = text.matchAll(/-----BEGIN ([A-Za-z0-9 ]+)-----([A-Za-z0-9+/=\s]*)-----END \1-----/g);
  return [...blocks].map(([, label = '', body = '']) => ({ label, bytes: Buffer.from(body, 'base64') }));
}
