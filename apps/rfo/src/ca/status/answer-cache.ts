/**
 * Signed answers by certificate, the least lately used forgotten first, bounded in bytes. What was asked before is recognised by the bytes of
 * the request or by its path, without reading them.
 */
import type { OcspReply } from './types.ts';

/** A signed answer, and what it was made from. */
export type Answer = {
  readonly reply: OcspReply;
  /** Key of the certificate that it speaks of. */
  readonly certificate: string;
  /** What the database said when it was signed. */
  readonly state: string;
  /** Milliseconds since 1970: it is given from then until then. */
  readonly from: number;
  readonly until: number;
  /** Which state of the database, as far as others write to it, was last compared with `state`. */
  epoch: number;
};

type Cell = {
  readonly certificate: string;
  /** By the exact identifier that clients used: one for each hash algorithm. */
  readonly answers: Map<string, Answer>;
  readonly aliases: Set<string>;
  bytes: number;
};

export class AnswerCache {
  readonly #maxBytes: number;
  /** Least lately used first. */
  readonly #cells = new Map<string, Cell>();
  readonly #aliases = new Map<string, Answer>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many certificates it has answers for. */
  get size(): number {
    return this.#cells.size;
  }

  /** The answer that this request was given before. */
  recognise(alias: string): Answer | undefined {
    const answer = this.#aliases.get(alias);
    if (answer !== undefined) this.#touch(answer.certificate);
    return answer;
  }

  get(certificate: string, id: string): Answer | undefined {
    const answer = this.#cells.get(certificate)?.answers.get(id);
    if (answer !== undefined) this.#touch(certificate);
    return answer;
  }

  put(id: string, answer: Answer): void {
    const { certificate } = answer;
    const cell = this.#cells.get(certificate) ?? this.#open(certificate);
    const before = cell.answers.get(id);
    if (before !== undefined) this.#forget(cell, before);
    cell.answers.set(id, answer);
    this.#grow(
      cell,
      id.length + answer.reply.der.length + answerCost - (before === undefined ? 0 : id.length + before.reply.der.length + answerCost),
    );
    this.#touch(certificate);
    this.#shrink();
  }

  /** From now on this request is recognised; a certificate keeps a few of them, and the oldest makes room. */
  name(alias: string, answer: Answer): void {
    const cell = this.#cells.get(answer.certificate);
    if (cell === undefined || alias.length > longestAlias || this.#aliases.has(alias)) return;
    const [oldest] = cell.aliases;
    if (cell.aliases.size >= mostAliases && oldest !== undefined) this.#unname(cell, oldest);
    cell.aliases.add(alias);
    this.#aliases.set(alias, answer);
    this.#grow(cell, alias.length + aliasCost);
    this.#shrink();
  }

  drop(certificate: string): void {
    const cell = this.#cells.get(certificate);
    if (cell === undefined) return;
    for (const alias of cell.aliases) this.#aliases.delete(alias);
    this.#cells.delete(certificate);
    this.#bytes -= cell.bytes;
  }

  clear(): void {
    this.#cells.clear();
    this.#aliases.clear();
    this.#bytes = 0;
  }

  #open(certificate: string): Cell {
    const cell: Cell = { certificate, answers: new Map(), aliases: new Set(), bytes: 0 };
    this.#cells.set(certificate, cell);
    this.#grow(cell, certificate.length + cellCost);
    return cell;
  }

  /** The requests that an old answer was given to are no longer recognised. */
  #forget(cell: Cell, answer: Answer): void {
    for (const alias of cell.aliases) if (this.#aliases.get(alias) === answer) this.#unname(cell, alias);
  }

  #unname(cell: Cell, alias: string): void {
    cell.aliases.delete(alias);
    this.#aliases.delete(alias);
    this.#grow(cell, -(alias.length + aliasCost));
  }

  #grow(cell: Cell, bytes: number): void {
    cell.bytes += bytes;
    this.#bytes += bytes;
  }

  #touch(certificate: string): void {
    const cell = this.#cells.get(certificate);
    if (cell === undefined) return;
    this.#cells.delete(certificate);
    this.#cells.set(certificate, cell);
  }

  #shrink(): void {
    for (const certificate of this.#cells.keys()) {
      if (this.#bytes <= this.#maxBytes) return;
      this.drop(certificate);
    }
  }
}

/** What keeping one costs beside its bytes: objects, headers, entries of maps. */
const cellCost = 400;
const answerCost = 600;
const aliasCost = 100;
/** POST and GET of each of two hash algorithms, twice. */
const mostAliases = 8;
const longestAlias = 512;
