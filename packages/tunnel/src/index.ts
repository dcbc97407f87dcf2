export { acceptTunnel, type Tunnel } from './accept-tunnel.ts';
export { createWebSocketAcceptor, type WebSocketAcceptor } from './accept-websocket.ts';
export type { Carrier } from './carrier.ts';
export { dispatchTunnels } from './dispatch-tunnels.ts';
export { ProxyProblem, proxyFromEnvironment } from './http-proxy.ts';
export { type KeepTunnelOptions, keepTunnel, type TunnelState } from './keep-tunnel.ts';
export { formatTarget, parseTarget, type Target, tunnelProtocol } from './protocol.ts';
export { type Answer, type CreateService, readBody, readJsonLines, type Service } from './service.ts';
export { UpgradeRefused } from './upgrade-refused.ts';
