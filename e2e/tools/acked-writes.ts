/**
 * Writes at a steady rate to a cluster of several servers and tells what was acknowledged when: `acked-writes.ts CREDENTIALS RATE ADDRESS…`,
 * until SIGTERM. It asks one server and goes to the next one when that fails, as a client with a list of servers does.
 *
 * Each write is a ConfigMap of its own in namespace `acked`, `write-N`, tried once: so that each acknowledged one can be looked for in the
 * end, and none hides the loss of another. It prints lines of `ack N BEGUN AT` and `fail N BEGUN AT ADDRESS TEXT` in milliseconds since 1970.
 */
import { apiClient } from './api-client.ts';

/** Milliseconds: long for a healthy server, short beside the five seconds in which the API must be back. */
const answerWithin = 1000;
/** A server that hangs must not gather writes without end. */
const mostOpen = 200;

const [credentials = '', rate = '', ...addresses] = process.argv.slice(2);
const servers = addresses.map((host) => ({ host, call: apiClient({ timeout: answerWithin, host, credentials }) }));
const perSecond = Number(rate);
let current = 0;
let count = 0;
let open = 0;
let lines: string[] = [];

const flush = (): void => {
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
  lines = [];
};

const begin = performance.now();
let due = 0;
const pace = setInterval(() => {
  const now = Math.floor(((performance.now() - begin) * perSecond) / 1000);
  // What could not be begun in time is not made up for: the rate stays what it is.
  for (; due < now; due++) if (open < mostOpen) void write(++count);
}, 5);
const flushing = setInterval(flush, 50);

process.once('SIGTERM', () => {
  clearInterval(pace);
  clearInterval(flushing);
  const end = (): void => {
    if (open > 0) return;
    clearInterval(waiting);
    flush();
    process.exit(0);
  };
  // Every write ends by itself: an answer, an error or the time.
  const waiting = setInterval(end, 5);
});

async function write(number: number): Promise<void> {
  const begun = Date.now();
  const chosen = current;
  const server = servers[chosen];
  if (server === undefined) return;
  open++;
  const problem = await attempt(server.call, number);
  open--;
  if (problem === undefined) {
    lines.push(`ack ${number} ${begun} ${Date.now()}`);
    return;
  }
  lines.push(`fail ${number} ${begun} ${Date.now()} ${server.host} ${problem}`);
  // The first of its failures moves on, not each of those that were under way with it.
  if (current === chosen) current = (chosen + 1) % servers.length;
}

/** Undefined when the API said that it is stored. */
async function attempt(call: ReturnType<typeof apiClient>, number: number): Promise<string | undefined> {
  try {
    const metadata = { name: `write-${number}` };
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { number: String(number) } };
    const { status, body } = await call('POST', '/api/v1/namespaces/acked/configmaps', object);
    return status === 201 ? undefined : `${status} ${body.replaceAll('\n', ' ').slice(0, 200)}`;
  } catch (error) {
    // Not acknowledged: it may be stored or not.
    return error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error);
  }
}
