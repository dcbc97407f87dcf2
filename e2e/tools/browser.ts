/**
 * A person at a browser without scripts, for scenarios: follows what it is led to, keeps cookies by host, and fills in forms. Arguments: the address,
 * the certificates it trusts, and the name to sign in by. It prints every address it comes to, and ends at the first that it is not led on from.
 */
import { readFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request as plainRequest } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';

type Page = { readonly url: URL; readonly status: number; readonly body: string };
type Step = { readonly method: 'GET' | 'POST'; readonly url: URL; readonly form?: URLSearchParams; readonly from?: URL };

const [start = '', trusted = '', person = ''] = process.argv.slice(2);
const ca = trusted.split(',').map((file) => readFileSync(file));
const cookies = new Map<string, Map<string, string>>();
/** More steps than any sign-in takes: it goes round in circles. */
const most = 30;

let step: Step | undefined = { method: 'GET', url: new URL(start) };
for (let taken = 0; step !== undefined; taken++) {
  if (taken === most) throw new Error('it goes round in circles');
  const page: Page = await visit(step);
  console.log(`${page.status} ${page.url.origin}${page.url.pathname}`);
  step = nextStep(page);
  if (step === undefined)
    console.log(
      `END ${page.status} ${page.body
        .replace(/<style>[\s\S]*?<\/style>|<[^>]+>/g, ' ')
        .replace(/\s+/g, ' ')
        .trim()}`,
    );
}

/** Redirects are followed as a browser does it: by GET. */
async function visit({ method, url, form, from }: Step): Promise<Page> {
  const { status, headers, body } = await exchange({
    method,
    url,
    ...(form !== undefined && { form }),
    ...(from !== undefined && { from }),
  });
  keepCookies(url, headers);
  if (headers.location === undefined || status < 300 || status > 399) return { url, status, body };
  console.log(`${status} ${url.origin}${url.pathname}`);
  return await visit({ method: 'GET', url: new URL(headers.location, url) });
}

function exchange({ method, url, form, from }: Step) {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>((resolve, reject) => {
    const content = form?.toString();
    const jar = [...(cookies.get(url.host) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = {
      ...(jar !== '' && { cookie: jar }),
      ...(content !== undefined && { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(content) }),
      ...(from !== undefined && { origin: from.origin }),
    };
    const send = url.protocol === 'http:' ? plainRequest : request;
    const sent = send(url, { method, headers, ca, timeout: 60_000 }, (answer) => {
      text(answer).then((body) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }), reject);
    });
    sent.once('timeout', () => sent.destroy(new Error(`${url.host} does not answer`)));
    sent.once('error', reject);
    sent.end(content);
  });
}

function keepCookies({ host }: URL, headers: IncomingHttpHeaders): void {
  const jar = cookies.get(host) ?? new Map<string, string>();
  cookies.set(host, jar);
  for (const line of headers['set-cookie'] ?? []) {
    const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
    if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(name);
    else jar.set(name, value);
  }
}

/** The first form of a page that is not there to turn back, filled in. */
function nextStep({ url, status, body }: Page): Step | undefined {
  if (status !== 200 || url.protocol === 'http:') return undefined;
  const form = /<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/.exec(body);
  const [, action = '', inside = ''] = form ?? [];
  if (form === null || action.endsWith('/sign-in/out')) return undefined;
  const fields = new URLSearchParams();
  for (const [input] of inside.matchAll(/<input[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(input)?.[1];
    if (name === undefined) continue;
    const value = /value="([^"]*)"/.exec(input)?.[1] ?? '';
    fields.set(name, name === 'login' ? person : name === 'password' ? 'any' : value);
  }
  return { method: 'POST', url: new URL(action, url), form: fields, from: url };
}
