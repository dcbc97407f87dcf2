/** Asks a component's health address on loopback. */
import { get } from 'node:http';

/** Resolves when the answer is 200; rejects with what it was instead. */
export function checkHttp(target: { host: string; port: number; path: string }, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = get({ ...target, agent: false, signal }, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`${target.host}:${target.port}${target.path} answers ${response.statusCode}`));
    });
    request.once('error', reject);
  });
}
