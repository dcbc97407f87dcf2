/** Both servers are sent every raw request, and their answers laid beside each other. */
import assert from 'node:assert/strict';
import type { PlainAnswer } from '../../tools/http-requests.ts';
import { comparable, numbersOf, sameTimes } from './compare.ts';
import { type Face, lenient, real, requestOf, resultOf, type Stage } from './faces.ts';
import type { Inputs } from './inputs.ts';
import { type Known, type RawRequest, rawRequests } from './requests.ts';

/** A certificate that a face issues, to ask about. */
export async function issueKnown(stage: Stage, face: Face, { csr }: Inputs): Promise<Known> {
  const { certificate } = (await resultOf(stage, face, 'sign', { certificate_request: csr, profile: 'www' })) as {
    readonly certificate: string;
  };
  return { pem: certificate, ...(await numbersOf(certificate)) };
}

const atOnce = 8;

/**
 * Sends them in turns, so that what takes time passes for both.
 * @returns how many there were
 */
export async function compareAnswers(stage: Stage, inputs: Inputs): Promise<number> {
  const [known, own] = [await issueKnown(stage, real, inputs), await issueKnown(stage, lenient, inputs)];
  const [theirs, ours] = [rawRequests(inputs, known), rawRequests(inputs, own)];
  const both = theirs.flatMap((request, index) => [plainRequest(real, request), plainRequest(lenient, ours[index] ?? request)]);
  const answers = await stage.send(both);
  const differences: string[] = [];
  // Each is read by openssl: a few at a time.
  for (let from = 0; from < theirs.length; from += atOnce) {
    const part = theirs.slice(from, from + atOnce).map((request, offset) => {
      const at = (from + offset) * 2;
      return differenceOf(request, { theirs: answers[at], ours: answers[at + 1] });
    });
    differences.push(...(await Promise.all(part)).filter((difference) => difference !== undefined));
  }
  assert.equal(differences.length, 0, `${differences.length} of ${theirs.length} answers differ:\n${differences.join('\n')}`);
  return theirs.length;
}

function plainRequest(face: Face, { path, method = 'POST', body }: RawRequest) {
  const text = typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body);
  return requestOf(face, { path, method, ...(text !== undefined && { body: text }) });
}

type Pair = { readonly theirs: PlainAnswer | undefined; readonly ours: PlainAnswer | undefined };

async function differenceOf({ title, differs }: RawRequest, { theirs, ours }: Pair): Promise<string | undefined> {
  assert.ok(theirs !== undefined && ours !== undefined, `no answer to "${title}"`);
  const [wanted, found] = [await shown(theirs), await shown(ours)];
  const same = sameTimes(found, wanted) === wanted;
  if (differs !== undefined) {
    // Else a difference that is not there any more would be told of for ever.
    if (same) return `${title}: it is the same, though it is said to differ: ${differs}`;
    return theirs.status === ours.status ? undefined : `${title}: status ${theirs.status} there, ${ours.status} here`;
  }
  return same ? undefined : `${title}:\n${firstDifference(wanted, found)}`;
}

async function shown(answer: PlainAnswer): Promise<string> {
  const { status, type, answer: content } = await comparable(answer);
  return `${status} ${type}\n${String(content)}`.replaceAll('\\n', '\n');
}

/** The lines from the first that differs on. */
function firstDifference(wanted: string, found: string): string {
  const [there, here] = [wanted.split('\n'), sameTimes(found, wanted).split('\n')];
  const at = there.findIndex((line, index) => line !== here[index]);
  const from = Math.max(0, at < 0 ? there.length - 1 : at - 1);
  const part = (lines: readonly string[]): string =>
    lines
      .slice(from, from + 4)
      .join(' | ')
      .slice(0, 300);
  return `  cfssl: ${there[0]} … ${part(there)}\n  rfo:   ${here[0]} … ${part(here)}`;
}
