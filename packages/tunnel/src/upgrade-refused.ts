/** The answer to an upgrade that is none: `status`, and what it says. */
export class UpgradeRefused extends Error {
  readonly status: number;
  readonly text: string;
  constructor(status: number, text: string) {
    super(`the answer to the upgrade is ${status}${text === '' ? '' : `: ${text}`}`);
    this.name = 'UpgradeRefused';
    this.status = status;
    this.text = text;
  }
}
