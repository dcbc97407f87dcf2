import { advance, noProgress, type Report, renderEvent, renderProgress } from './progress.ts';

export type Screen = { readonly isTTY?: boolean; readonly columns?: number; write(text: string): unknown };
export type OpenReport = Disposable & { readonly report: Report };

/**
 * Shows builds on a stream: on a terminal live lines below the finished ones, else plain lines. Dispose it to leave the terminal clean.
 * @param now milliseconds, for the elapsed times
 */
export function openReport(screen: Screen, now: () => number = Date.now): OpenReport {
  return screen.isTTY === true ? terminalReport(screen, now) : plainReport(screen);
}

function plainReport(screen: Screen): OpenReport {
  return {
    report: (event) => {
      const line = renderEvent(event);
      if (line !== undefined) screen.write(`components: ${line}\n`);
    },
    [Symbol.dispose]: () => undefined,
  };
}

function terminalReport(screen: Screen, now: () => number): OpenReport {
  let state = noProgress;
  let shown = 0;
  const draw = (permanent = ''): void => {
    const lines = renderProgress(state, now(), screen.columns ?? 80);
    // Up to the first live line, clear to the end of the screen, then everything anew.
    const clear = shown === 0 ? '' : `\x1b[${shown}A\x1b[J`;
    shown = lines.length;
    screen.write(`${clear}${permanent}${lines.map((line) => `${line}\n`).join('')}`);
  };
  const ticking = setInterval(() => {
    if (state.running.length > 0) draw();
  }, 200);
  ticking.unref();
  return {
    report: (event) => {
      state = advance(state, event, now());
      // The live lines say that a part was started; a permanent one would only repeat it.
      const line = event.type === 'started' ? undefined : renderEvent(event);
      if (line !== undefined) draw(`${line}\n`);
    },
    [Symbol.dispose]: () => {
      clearInterval(ticking);
      state = noProgress;
      draw();
    },
  };
}
