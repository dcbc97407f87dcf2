/**
 * Fields of what was sent that did not survive its parsing, as `spec.dispalyName`: a typing mistake must not be taken for consent.
 * @param parsed what a schema that drops unknown fields made of `sent`
 */
export function unknownFields(sent: unknown, parsed: unknown, path: readonly string[] = []): readonly string[] {
  if (typeof sent !== 'object' || sent === null || typeof parsed !== 'object' || parsed === null) return [];
  return Object.entries(sent).flatMap(([key, value]) => {
    const here = [...path, key];
    if (value === undefined) return [];
    return Object.hasOwn(parsed, key) ? unknownFields(value, (parsed as Readonly<Record<string, unknown>>)[key], here) : [here.join('.')];
  });
}
