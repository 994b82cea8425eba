/**
 * The world on disk: an append-only journal of rows, replayed at the start.
 *
 * Always: a row is in the journal before anyone is told of it (one `write` a row, in the order of the puts), so that
 * `kill -9` loses at most a line that was not finished, and that line was never answered for. The journal is rewritten
 * when the world starts and when it has grown; the new file takes the old one's place by rename.
 */
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import path from "node:path";
import type { TableName, Tables } from "./entities.ts";

type Key = number | string;
type Line = { t: string; row: { id: Key } } | { t: string; gone: Key } | { t: "sequence"; next: number };

/** A way to find rows by something else than their id. Make one per module, at its head. */
export type Index<N extends TableName> = {
  readonly table: N;
  readonly keyOf: (row: Tables[N]) => string;
};

/** Declares an index; it is built when it is first used and kept from then on. */
export function indexOf<N extends TableName>(table: N, keyOf: (row: Tables[N]) => string): Index<N> {
  return { table, keyOf };
}

type AnyIndex = { readonly table: string; readonly keyOf: (row: never) => string };
type Rows = Map<Key, { id: Key }>;

export class Store {
  readonly #tables: Map<string, Rows>;
  readonly #indexes = new Map<AnyIndex, Map<string, Rows>>();
  readonly #file: string | null;
  #descriptor: number | null = null;
  // High, so that an id taken for an issue's number meets nothing.
  #next = 1_000_001;
  /** Bytes of the journal: all of it, and as it was when it was last rewritten. */
  #bytes = 0;
  #compactBytes = 0;
  #beforeChange: (() => void) | null = null;

  private constructor(tables: Map<string, Rows>, file: string | null) {
    this.#tables = tables;
    this.#file = file;
  }

  /** Opens the world kept in `dir`, which may be empty. */
  static open(dir: string): Store {
    mkdirSync(dir, { recursive: true });
    const store = new Store(new Map(), path.join(dir, "journal.ndjson"));
    store.#replay();
    store.#compact();
    return store;
  }

  get<N extends TableName>(table: N, id: Tables[N]["id"]): Tables[N] | undefined {
    return this.#tables.get(table)?.get(id) as Tables[N] | undefined;
  }

  /** All rows of a table, oldest first. */
  all<N extends TableName>(table: N): Tables[N][] {
    return [...(this.#tables.get(table)?.values() ?? [])] as Tables[N][];
  }

  /** The rows that have this key, oldest first. */
  by<N extends TableName>(index: Index<N>, key: string): Tables[N][] {
    return [...(this.#built(index).get(key)?.values() ?? [])] as Tables[N][];
  }

  /** The first row that has this key. */
  one<N extends TableName>(index: Index<N>, key: string): Tables[N] | undefined {
    const rows = this.#built(index).get(key);
    return rows?.values().next().value as Tables[N] | undefined;
  }

  /** How many rows have this key. */
  count<N extends TableName>(index: Index<N>, key: string): number {
    return this.#built(index).get(key)?.size ?? 0;
  }

  /** Adds the row, or puts it in place of the one with the same id. Returns it. */
  put<N extends TableName>(table: N, row: Tables[N]): Tables[N] {
    this.#beforeChange?.();
    this.#append({ t: table, row });
    this.#set(table, row);
    if (this.#bytes > muchBytes + 4 * this.#compactBytes) this.#compact();
    return row;
  }

  remove<N extends TableName>(table: N, id: Tables[N]["id"]): void {
    const rows = this.#tables.get(table);
    const row = rows?.get(id);
    if (rows === undefined || row === undefined) return;
    this.#beforeChange?.();
    this.#append({ t: table, gone: id });
    this.#unindex(table, row);
    rows.delete(id);
  }

  /** A new id: one rising sequence for everything, as ids of GitHub are never used twice. */
  nextId(): number {
    return this.#next++;
  }

  /** The rows as they are now, for ever: what a reader with a stale replica sees. Writing to it is an error. */
  snapshot(): Store {
    const copy = new Map([...this.#tables].map(([name, rows]) => [name, new Map(rows)]));
    const store = new Store(copy, null);
    store.#beforeChange = () => {
      throw new Error("a snapshot is read only");
    };
    return store;
  }

  /** Calls back before each change, until the callback is replaced. */
  beforeChange(callback: (() => void) | null): void {
    this.#beforeChange = callback;
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
  }

  #set(table: string, row: { id: Key }): void {
    const rows = this.#tables.get(table) ?? new Map<Key, { id: Key }>();
    this.#tables.set(table, rows);
    const old = rows.get(row.id);
    rows.set(row.id, row);
    if (typeof row.id === "number" && row.id >= this.#next) this.#next = row.id + 1;
    for (const [index, built] of this.#indexes) {
      if (index.table !== table) continue;
      const key = index.keyOf(row as never);
      if (old !== undefined && index.keyOf(old as never) !== key) built.get(index.keyOf(old as never))?.delete(row.id);
      addTo(built, key, row);
    }
  }

  #unindex(table: string, row: { id: Key }): void {
    for (const [index, built] of this.#indexes) {
      if (index.table === table) built.get(index.keyOf(row as never))?.delete(row.id);
    }
  }

  #built(index: AnyIndex): Map<string, Rows> {
    const known = this.#indexes.get(index);
    if (known !== undefined) return known;
    const built = new Map<string, Rows>();
    for (const row of this.#tables.get(index.table)?.values() ?? []) addTo(built, index.keyOf(row as never), row);
    this.#indexes.set(index, built);
    return built;
  }

  #append(line: Line): void {
    if (this.#descriptor === null) throw new Error("the world is closed");
    const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
    for (let written = 0; written < bytes.length;) written += writeSync(this.#descriptor, bytes, written);
  }

  #replay(): void {
    if (this.#file === null || !existsSync(this.#file)) return;
    const lines = readFileSync(this.#file, "utf8").split("\n");
    // A write that was cut off leaves a last line with no end: it was never answered for.
    lines.pop();
    for (const text of lines) {
      const line = JSON.parse(text) as Line;
      if ("next" in line) this.#next = Math.max(this.#next, line.next);
      else if ("row" in line) this.#set(line.t, line.row);
      else this.#tables.get(line.t)?.delete(line.gone);
    }
  }

  /** Rewrites the journal with what is there now, so that a world that runs for weeks does not grow with its past. */
  #compact(): void {
    if (this.#file === null) return;
    const fresh = `${this.#file}.new`;
    rmSync(fresh, { force: true });
    this.close();
    this.#descriptor = openSync(fresh, "a");
    this.#bytes = 0;
    this.#append({ t: "sequence", next: this.#next });
    for (const [t, rows] of this.#tables) for (const row of rows.values()) this.#append({ t, row });
    this.#compactBytes = this.#bytes;
    renameSync(fresh, this.#file);
  }
}

/** The journal is not rewritten for less. */
const muchBytes = 64 * 1024 * 1024;

function addTo(built: Map<string, Rows>, key: string, row: { id: Key }): void {
  const rows = built.get(key);
  if (rows === undefined) built.set(key, new Map([[row.id, row]]));
  else rows.set(row.id, row);
}
