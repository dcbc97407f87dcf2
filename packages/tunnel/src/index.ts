export { acceptTunnel, type Tunnel } from './accept-tunnel.ts';
export { type KeepTunnelOptions, keepTunnel, type TunnelState } from './keep-tunnel.ts';
export { formatTarget, parseTarget, type Target, tunnelProtocol } from './protocol.ts';
