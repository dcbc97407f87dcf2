/**
 * A DNS server (RFC 1035) for one name: `name-server.ts <address to listen on> <name> <address>…` answers who asks for the name with all its addresses, in
 * this order, and says of every other name that there is none. Says `it answers` when it does.
 */
import { createSocket } from 'node:dgram';

const [, , listen = '', name = '', ...addresses] = process.argv;
const header = 12;
const [typeA, responseAuthoritative, noSuchName] = [1, 0x8400, 3];
const seconds = 5;

const socket = createSocket('udp4');
socket.on('message', (query, from) => {
  const answer = answerTo(query);
  if (answer !== undefined) socket.send(answer, from.port, from.address);
});
socket.bind(53, listen, () => console.log('it answers'));

/** Undefined for what is no question. */
function answerTo(query: Buffer): Buffer | undefined {
  const question = readQuestion(query);
  if (question === undefined) return undefined;
  const isIt = question.name.toLowerCase() === name;
  const records = isIt && question.type === typeA ? addresses.map(renderRecord) : [];
  const head = Buffer.alloc(header);
  query.copy(head, 0, 0, 2);
  // "Recursion desired" is given back.
  head.writeUInt16BE(responseAuthoritative | (query.readUInt16BE(2) & 0x0100) | (isIt ? 0 : noSuchName), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, query.subarray(header, question.end), ...records]);
}

function readQuestion(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } | undefined {
  const labels: string[] = [];
  let at = header;
  for (let length = query[at]; length !== 0; length = query[at]) {
    if (length === undefined || length > 63) return undefined;
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const end = at + 5;
  return end > query.length ? undefined : { name: labels.join('.'), type: query.readUInt16BE(at + 1), end };
}

/** The name by a pointer to the question, type A, class IN. */
function renderRecord(address: string): Buffer {
  const record = Buffer.alloc(16);
  record.writeUInt16BE(0xc000 | header, 0);
  record.writeUInt16BE(typeA, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(seconds, 6);
  record.writeUInt16BE(4, 10);
  Buffer.from(address.split('.').map(Number)).copy(record, 12);
  return record;
}
