/** A line of the audit log: one entry as JSON. */
import type { AuditEntry } from './types.ts';

const longestText = 1024;
const longestList = 100;
const longestLine = 16 * 1024;

/** Newline included. What clients have made long is cut: nobody fills the log through a name. */
export function renderLine(entry: AuditEntry): string {
  const line = JSON.stringify(entry, (_, value: unknown) => shorten(value));
  if (line.length <= longestLine) return `${line}\n`;
  const { changes: _, command: __, ...rest } = entry;
  const message = `${rest.message ?? ''} (what it consists of is too long to be told: ${line.length} characters)`.trim();
  return `${JSON.stringify({ ...rest, message }, (_, value: unknown) => shorten(value))}\n`;
}

/** Undefined for what is none of ours. */
export function parseLine(line: string): AuditEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null) return undefined;
    const { id, time, replica, verb, result } = value as Partial<AuditEntry>;
    const texts = [id, time, replica, verb, result];
    return texts.every((each) => typeof each === 'string') ? (value as AuditEntry) : undefined;
  } catch {
    return undefined;
  }
}

function shorten(value: unknown): unknown {
  if (typeof value === 'string' && value.length > longestText) return `${value.slice(0, longestText)}… (${value.length} characters)`;
  if (Array.isArray(value) && value.length > longestList) return [...value.slice(0, longestList), `… (${value.length} of them)`];
  return value;
}
