let loaded: typeof import('node:http') | undefined;

/**
 * The module `node:http`, without what an import of it brings along. Node makes every export of an imported module there and then, and among those of this
 * one is `WebSocket`: with it come undici, web streams and zlib, 15 MB in every program (7 MB of them its own). Types may be imported.
 */
export function http(): typeof import('node:http') {
  loaded ??= process.getBuiltinModule('node:http');
  return loaded;
}
