/** The accepting end of a WebSocket that carries a tunnel. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { type Carrier, carrierOf, streamOf, websocketOptions } from './carrier.ts';
import { tunnelProtocol } from './protocol.ts';

export type WebSocketAcceptor = {
  /**
   * Answers an upgrade request, and resolves with what it became, for `acceptTunnel`. A request that is no such upgrade is answered with 400
   * and its connection ends; then this never settles. Who asks is the caller's to check, before.
   */
  readonly accept: (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<Carrier>;
};

/** RFC 6455 without extensions, with the subprotocol `tunnelProtocol`. */
export function createWebSocketAcceptor(): WebSocketAcceptor {
  const server = new WebSocketServer({
    ...websocketOptions,
    noServer: true,
    clientTracking: false,
    handleProtocols: (offered) => (offered.has(tunnelProtocol) ? tunnelProtocol : false),
  });
  return {
    accept: (request, socket, head) =>
      new Promise((resolve, reject) => {
        server.handleUpgrade(request, socket, head, (websocket) => void carrierOf(streamOf(websocket)).then(resolve, reject));
      }),
  };
}
