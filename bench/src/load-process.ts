/** What processes that send load have in common. It loads nothing more, so that they cost little beside what they measure. */

/** Sends one load after the other for `startLoad`, until its parent is gone or needs it no longer. */
export function serveLoads<Load, Measured>(run: (load: Load) => Promise<Measured>): void {
  process.once('disconnect', () => process.exit());
  process.on('message', async (load: Load) => {
    try {
      process.send?.({ measured: await run(load) });
    } catch (error) {
      process.send?.({ problem: error instanceof Error ? error.message : String(error) });
    }
  });
}

/** Whether an answer of HTTP/1.1 has arrived to its end. @param answer as latin1 */
export function isWhole(answer: string): boolean {
  const head = answer.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /content-length: (\d+)/i.exec(answer.slice(0, head))?.[1];
  return length === undefined ? answer.endsWith('\r\n0\r\n\r\n') : answer.length >= head + 4 + Number(length);
}
