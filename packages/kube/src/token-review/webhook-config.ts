/** How an API server is told whom to ask for tokens that it does not know itself. */
import { tokenReviewPath } from './serve-token-reviews.ts';

type WebhookInput = {
  /** On loopback of the host of the API server. */
  readonly port: number;
  /** PEM, or the path of a file. */
  readonly ca: { readonly pem: string } | { readonly file: string };
  /** Files of the certificate that the API server shows. */
  readonly client?: { readonly cert: string; readonly key: string };
};

/** The file for `--authentication-token-webhook-config-file` (a kubeconfig), as JSON, which is YAML. */
export function renderWebhookConfig({ port, ca, client }: WebhookInput): string {
  const authority =
    'file' in ca ? { 'certificate-authority': ca.file } : { 'certificate-authority-data': Buffer.from(ca.pem).toString('base64') };
  const config = {
    'apiVersion': 'v1',
    'kind': 'Config',
    'clusters': [{ name: 'rfo', cluster: { server: `https://127.0.0.1:${port}${tokenReviewPath}`, ...authority } }],
    'users': [{ name: 'rfo', user: client ? { 'client-certificate': client.cert, 'client-key': client.key } : {} }],
    'contexts': [{ name: 'rfo', context: { cluster: 'rfo', user: 'rfo' } }],
    'current-context': 'rfo',
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
