/** The path of a creation does not tell the name of what is made; the answer does, and only there it is the one that the server has chosen. */
import type { IncomingMessage } from 'node:http';

/** Bytes; what is larger is not worth the memory. */
const most = 256 * 1024;

export type NameOfCreated = {
  /** To be called before the body flows. */
  readonly watch: (answer: IncomingMessage) => void;
  /** When the answer is over; undefined where it does not tell. */
  readonly name: () => string | undefined;
};

export function nameOfCreated(): NameOfCreated {
  const chunks: Buffer[] = [];
  let size = 0;
  let read: ((body: Buffer) => string | undefined) | undefined;
  return {
    watch: (answer) => {
      const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = answer.headers;
      read = readers[type.split(';')[0] ?? ''];
      if (answer.statusCode !== 201 || encoding !== 'identity' || read === undefined) return;
      answer.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= most) chunks.push(chunk);
        else chunks.length = 0;
      });
    },
    name: () => (size === 0 || size > most ? undefined : read?.(Buffer.concat(chunks))),
  };
}

const readers: Readonly<Record<string, (body: Buffer) => string | undefined>> = {
  'application/json': nameInJson,
  'application/vnd.kubernetes.protobuf': nameInProtobuf,
};

export function nameInJson(body: Buffer): string | undefined {
  try {
    const object = JSON.parse(body.toString()) as { readonly metadata?: { readonly name?: unknown } } | null;
    const name = object?.metadata?.name;
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined;
  }
}

/** `k8s\0`, then a runtime.Unknown: its field 2 is the object, of which field 1 is the metadata, of which field 1 is the name. */
export function nameInProtobuf(body: Buffer): string | undefined {
  if (body.subarray(0, 4).toString('latin1') !== 'k8s\0') return undefined;
  const object = bytesField(body.subarray(4), 2);
  const metadata = object && bytesField(object, 1);
  return metadata && bytesField(metadata, 1)?.toString();
}

/** A length-delimited field of a message (protobuf.dev, Encoding); undefined where it is not there or the message is broken. */
function bytesField(message: Buffer, wanted: number): Buffer | undefined {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; at < message.length; factor *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  };
  while (at < message.length) {
    const tag = varint();
    const kind = tag % 8;
    if (kind === 0) varint();
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else if (kind !== 2) return undefined;
    else {
      const length = varint();
      if (!(at + length <= message.length)) return undefined;
      if (Math.floor(tag / 8) === wanted) return message.subarray(at, at + length);
      at += length;
    }
  }
  return undefined;
}
