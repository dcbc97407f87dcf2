/** Measures the figures of one round, the sides in turns. */
import { names, type Sample, type SideName } from './figures.ts';
import type { Load, Measured } from './load.ts';
import { renderAuthsign, renderInfo, renderOcsp } from './requests.ts';
import type { Sides } from './sides.ts';

export type Questions = {
  readonly authsign: readonly string[];
  readonly info: readonly string[];
  /** Undefined until certificates were issued whose status can be asked for. */
  ocsp: ReturnType<typeof renderOcsp> | undefined;
};

export async function renderQuestions({ sharedKey }: Sides): Promise<Questions> {
  return { authsign: await renderAuthsign(sharedKey), info: renderInfo(), ocsp: undefined };
}

const crowd = 64;
const asked = 1000;

type Inputs = {
  readonly sides: Sides;
  readonly send: (load: Load) => Promise<Measured>;
  readonly questions: Questions;
  readonly seconds: number;
};

/** @param round by which it is told who is first: what comes second finds a warmer, or a hotter, machine */
export async function measureRound({ sides, send, questions, seconds }: Inputs, round: number): Promise<readonly Sample[]> {
  const order: readonly SideName[] = round % 2 === 0 ? ['rfo', 'cfssl'] : ['cfssl', 'rfo'];
  const milliseconds = seconds * 1000;
  const samples: Sample[] = [];
  for (const connections of [1, crowd]) {
    for (const side of order) {
      const before = sides[side].count();
      const load = { port: sides[side].port, requests: questions.authsign, expect: '"success":true', connections, milliseconds };
      const measured = await send(load);
      checkWritten(side, { answered: measured.answers, written: sides[side].count() - before });
      samples.push(...describe(names.authsign(connections), side, measured));
    }
  }
  for (const side of order) {
    const load = { port: sides[side].port, requests: questions.info, expect: '"success":true', connections: crowd, milliseconds };
    samples.push(rate(names.info(crowd), side, await send(load)));
  }
  questions.ocsp ??= renderOcsp(sides.ca, sides.rfo.serials(asked));
  const { post, get } = questions.ocsp;
  // An answer that may be kept is a signed one, and not that the certificate is unknown.
  const load = { port: sides.rfo.ocspPort, expect: 'must-revalidate', connections: crowd, milliseconds };
  samples.push(rate(names.ocspPost(crowd), 'rfo', await send({ ...load, requests: post })));
  samples.push(rate(names.ocspGet(crowd), 'rfo', await send({ ...load, requests: get })));
  return samples;
}

/** A certificate that was given away and is not in the database would make every other figure worthless. */
function checkWritten(side: SideName, { answered, written }: { readonly answered: number; readonly written: number }): void {
  if (written < answered) throw new Error(`${side} gave ${answered} certificates, and its database holds ${written} of them`);
}

function describe(what: string, side: SideName, measured: Measured): readonly Sample[] {
  return [
    rate(what, side, measured),
    { what: `${what}, p50`, side, unit: 'ms', value: measured.p50 },
    { what: `${what}, p99`, side, unit: 'ms', value: measured.p99 },
  ];
}

function rate(what: string, side: SideName, { answers, seconds }: Measured): Sample {
  return { what, side, unit: '/s', value: answers / seconds };
}
