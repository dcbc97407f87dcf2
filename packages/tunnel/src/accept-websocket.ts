/** The accepting end of a WebSocket that carries a tunnel. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import type { Carrier } from './carrier.ts';
import { tunnelProtocol } from './protocol.ts';

export type WebSocketAcceptor = {
  /**
   * Answers an upgrade request, and resolves with what it became, for `acceptTunnel`. A request that is no such upgrade is answered with 400
   * and its connection ends; then this never settles. Who asks is the caller's to check, before.
   */
  readonly accept: (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<Carrier>;
};

/** RFC 6455 without extensions, with the subprotocol `tunnelProtocol`. The library is loaded by the first who asks: who only dials is spared it. */
export function createWebSocketAcceptor(): WebSocketAcceptor {
  let server: WebSocketServer | undefined;
  return {
    accept: async (request, socket, head) => {
      const [{ WebSocketServer }, { carrierOf, streamOf, websocketOptions }] = await Promise.all([import('ws'), import('./carrier.ts')]);
      server ??= new WebSocketServer({
        ...websocketOptions,
        noServer: true,
        clientTracking: false,
        handleProtocols: (offered) => (offered.has(tunnelProtocol) ? tunnelProtocol : false),
      });
      const { promise, resolve, reject } = Promise.withResolvers<Carrier>();
      server.handleUpgrade(request, socket, head, (websocket) => void carrierOf(streamOf(websocket)).then(resolve, reject));
      return promise;
    },
  };
}
