import type { Rendered } from './envelope.ts';

/** Where cfssl shows its pages. Ours is one that says what this is: forms for keys in a browser are nothing that a CA should offer. */
const paths = new Set(['/', '/bundle', '/scan', '/packages']);

/** The page for people who come with a browser; undefined for other paths. */
export function frontPage({ path, method }: { readonly path: string; readonly method: string }): Rendered | undefined {
  if (!paths.has(path) || (method !== 'GET' && method !== 'HEAD')) return undefined;
  return { status: 200, type: 'text/html; charset=utf-8', body: page };
}

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Certificate authority</title>
<h1>Certificate authority</h1>
<p>This is the certificate authority of an RFO cluster. Programs speak to it under <code>/api/v1/cfssl/</code>, with <code>cfssl</code> for
example; its list of revoked certificates is at <a href="/crl">/crl</a> and, as text, at <a href="/crl.pem">/crl.pem</a>.</p>
</html>
`;
