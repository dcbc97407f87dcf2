/** Reads how long something is to last: `90d`, `16h`, `1h30m`, or a number of seconds. */

const form = /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?$/;
const factors = [86_400, 3600, 60, 1];

/** Seconds, or undefined of any other text. */
export function readDuration(text: string): number | undefined {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const parts = text === '' ? undefined : form.exec(text)?.slice(1);
  return parts?.reduce((sum, part, at) => sum + Number(part ?? 0) * (factors[at] ?? 0), 0);
}

/** The other way round. @param seconds whole, more than none */
export function showDuration(seconds: number): string {
  let left = seconds;
  const parts = factors.map((factor, at) => {
    const count = Math.floor(left / factor);
    left -= count * factor;
    return count === 0 ? '' : `${count}${'dhms'[at]}`;
  });
  return parts.join('');
}
