import { fail } from '@rfo/foundation';
import type { KubeObject } from '@rfo/kube';

/**
 * Reads a manifest: YAML of one or more documents, or JSON. A `List` is taken apart; empty documents are skipped.
 * Throws manifest-invalid with the document's number and line.
 * @param file named in the error
 */
export async function parseManifest(text: string, file: string): Promise<KubeObject[]> {
  const documents = file.endsWith('.json') ? [parseJson(text, file)] : await parseYaml(text, file);
  return documents.flatMap((document, index) => objectsOf(document, { file, where: `document ${index + 1}` }));
}

function parseJson(text: string, file: string): unknown {
  try {
    return text.trim() === '' ? null : JSON.parse(text);
  } catch (error) {
    throw fail('manifest-invalid', { file, problem: error instanceof Error ? error.message : String(error) }, error);
  }
}

async function parseYaml(text: string, file: string): Promise<unknown[]> {
  // Loaded only when a manifest is read: 15 MB until then saved.
  const { parseAllDocuments } = await import('yaml');
  // YAML 1.1 is what kubectl reads (`yes` is a boolean), except that it leaves 12:30 and 2001-01-01 as they are.
  const documents = parseAllDocuments(text, {
    version: '1.1',
    customTags: (tags) =>
      tags.filter((tag) => typeof tag === 'string' || (tag.tag !== 'tag:yaml.org,2002:timestamp' && tag.format !== 'TIME')),
  });
  return [...documents].map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw fail('manifest-invalid', { file, problem: error.message.split('\n')[0] ?? 'no YAML' }, error);
    return document.toJS() as unknown;
  });
}

function objectsOf(value: unknown, at: { readonly file: string; readonly where: string }): KubeObject[] {
  const invalid = (problem: string): Error => fail('manifest-invalid', { file: at.file, problem: `${at.where}: ${problem}` });
  if (value === null || value === undefined) return [];
  if (typeof value !== 'object' || Array.isArray(value)) throw invalid('it is not an object');
  const { apiVersion, kind, metadata, items } = value as Record<string, unknown>;
  if (typeof apiVersion !== 'string' || apiVersion === '') throw invalid('apiVersion is missing');
  if (typeof kind !== 'string' || kind === '') throw invalid('kind is missing');
  if (kind.endsWith('List') && Array.isArray(items)) {
    return items.flatMap((item, index) => objectsOf(item, { file: at.file, where: `${at.where}, item ${index + 1}` }));
  }
  const name = typeof metadata === 'object' && metadata !== null && 'name' in metadata ? metadata.name : undefined;
  if (typeof name !== 'string' || name === '') throw invalid(`${kind} has no metadata.name`);
  return [value as KubeObject];
}
