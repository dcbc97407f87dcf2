/** HTML out of templates, in which everything that is put in is text unless it is HTML by its type. */

/** A text that is HTML already. */
export type Html = { readonly html: string };

export function html(texts: TemplateStringsArray, ...values: readonly (string | Html)[]): Html {
  const parts = texts.map((text, at) => {
    const value = values[at];
    return `${text}${value === undefined ? '' : typeof value === 'string' ? escapeText(value) : value.html}`;
  });
  return { html: parts.join('') };
}

export function join(parts: readonly Html[]): Html {
  return { html: parts.map((part) => part.html).join('') };
}

/** ` name="value"` of each that is given; one that is true stands by its name alone, one that is false or undefined not at all. */
export function attributes(of: Readonly<Record<string, string | boolean | undefined>>): Html {
  const given = Object.entries(of).filter(([, value]) => value !== undefined && value !== false);
  return join(given.map(([name, value]) => (typeof value === 'string' ? html` ${name}="${value}"` : html` ${name}`)));
}

function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
