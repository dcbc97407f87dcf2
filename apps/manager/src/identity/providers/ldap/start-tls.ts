/**
 * Changes a connection to TLS by the StartTLS operation of LDAP (RFC 4511, 4.14). Before the library has the connection, so that nothing that came
 * unprotected is ever taken for an answer, and no request can go out before the change.
 */
import type { Socket } from 'node:net';
import { BerReader } from 'ldapts';

/** LDAPMessage { messageID 1, extendedReq { requestName 1.3.6.1.4.1.1466.20037 } }, DER. */
const request = Buffer.concat([Buffer.from('301d02010177188016', 'hex'), Buffer.from('1.3.6.1.4.1.1466.20037')]);
const extendedResponse = 0x78;
/** No answer to it is longer. */
const longest = 16_384;

/** Resolves when the server has said that TLS begins now. Throws what it said instead. @param socket connected, nobody reads it */
export function askForTls(socket: Socket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0);
    const settle = (act: () => void): void => {
      socket.off('data', onData).off('error', onError).off('close', onClose).pause();
      signal.removeEventListener('abort', onAbort);
      act();
    };
    const onAbort = (): void => settle(() => reject(signal.reason));
    const onError = (error: Error): void => settle(() => reject(error));
    const onClose = (): void => settle(() => reject(new Error('it ended the connection')));
    const onData = (data: Buffer): void => {
      received = Buffer.concat([received, data]);
      try {
        if (readAnswer(received)) settle(resolve);
      } catch (error) {
        settle(() => reject(error));
      }
    };
    socket.on('data', onData).once('error', onError).once('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.write(request);
  });
}

/** Whether the answer is complete, and agrees. Throws where it does not. */
function readAnswer(received: Buffer): boolean {
  const reader = new BerReader(received);
  if (reader.readSequence(0x30) === null || reader.remain < reader.length) {
    if (received.length > longest) throw new Error('its answer is no LDAP');
    return false;
  }
  if (reader.remain > reader.length) throw new Error('it sent more than an answer before TLS');
  if (reader.readInt() !== 1) throw new Error('its answer is to something else');
  if (reader.readSequence(extendedResponse) === null) throw new Error('its answer is cut');
  const code = reader.readEnumeration();
  reader.readString();
  if (code !== 0) throw new Error(`StartTLS is refused with code ${code}: ${reader.readString() ?? ''}`);
  return true;
}
