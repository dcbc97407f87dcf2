import type { Endpoint } from '../types.ts';

/** Whether the API answers at all. */
export const healthEndpoint: Endpoint = { name: 'health', method: 'GET', handle: async () => ({ result: { healthy: true } }) };
