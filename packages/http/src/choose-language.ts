type Wish = { readonly quality: number; readonly at: number };

/**
 * The offered language that somebody reads best, by his Accept-Language (RFC 9110 §12.5.4). Ranges count by their first subtag, so that `zh-TW` asks for
 * Chinese in whatever script there is; of two that are wanted alike the one named first, and what is no range is passed over.
 * @param header as it came; several of them joined by commas
 * @param offered language tags; the first one is given where none of them is wanted
 */
export function chooseLanguage<Language extends string>(
  header: string | undefined,
  offered: readonly [Language, ...(readonly Language[])],
): Language {
  const wishes = readWishes(header ?? '');
  let [best] = offered;
  let found: Wish = { quality: 0, at: 0 };
  for (const language of offered) {
    const wish = wishes.get(primaryOf(language)) ?? wishes.get('*');
    if (wish === undefined || wish.quality < found.quality || (wish.quality === found.quality && wish.at >= found.at)) continue;
    [best, found] = [language, wish];
  }
  return best;
}

const range = /^(\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?$/i;

/** By first subtag: the highest quality that one of its ranges has. */
function readWishes(header: string): ReadonlyMap<string, Wish> {
  const wishes = new Map<string, Wish>();
  for (const [at, element] of header.split(',').entries()) {
    const [, tag, weight = '1'] = range.exec(element.trim()) ?? [];
    if (tag === undefined) continue;
    const [primary, quality] = [primaryOf(tag), Number(weight)];
    if (quality > (wishes.get(primary)?.quality ?? -1)) wishes.set(primary, { quality, at });
  }
  return wishes;
}

function primaryOf(tag: string): string {
  return tag.split('-', 1)[0]?.toLowerCase() ?? '';
}
