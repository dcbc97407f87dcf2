import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Tells systemd a state (sd_notify(3): `READY=1`, `STATUS=…`, `STOPPING=1`), when it started us with Type=notify; tells whether it did.
 * It goes through systemd-notify, as Node has no datagrams over Unix sockets; the unit therefore needs NotifyAccess=all.
 * It returns when systemd has taken the message in (systemd-notify waits for that, else systemd could not tell whose message it was).
 * `env` is where NOTIFY_SOCKET is looked for.
 */
export async function notifySystemd(
  states: readonly string[],
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<boolean> {
  const { NOTIFY_SOCKET } = env;
  if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === '') return false;
  await run('/usr/bin/systemd-notify', [...states], { env: { NOTIFY_SOCKET } });
  return true;
}
