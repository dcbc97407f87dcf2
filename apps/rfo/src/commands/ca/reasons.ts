// Why a certificate was revoked: names and numbers of RFC 5280 §5.3.1.
const reasons = [
  ...['unspecified', 'keyCompromise', 'cACompromise', 'affiliationChanged', 'superseded', 'cessationOfOperation', 'certificateHold', ''],
  ...['removeFromCRL', 'privilegeWithdrawn', 'aACompromise'],
];

/** The number of a name in any case, or of a number. */
export function reasonNumber(given: string): number {
  const at = reasons.findIndex((name) => name !== '' && name.toLowerCase() === given.toLowerCase());
  return at < 0 ? Number(given) : at;
}

export function reasonName(number: number): string {
  const name = reasons[number] ?? '';
  return name === '' ? String(number) : name;
}
