/**
 * Workflow commands: the lines through which a step speaks to its runner (`::add-mask::…`, or in the old form
 * `##[add-mask]…`, which is found anywhere in a line), and the log that people see. Pure but for its own memory.
 *
 * Always: what is masked never leaves in a line or an output; between `::stop-commands::WORD` and `::WORD::` no line is a
 * command.
 */

/** No step may send these any more: one that does has failed. */
const disabled = new Set(["set-env", "add-path"]);
const oldForm = /##\[(add-mask|stop-commands|set-env|add-path)(?: [^\]]*)?\](.*)$/s;

export class StepLines {
  /** A command was sent that is disabled. */
  failed = false;
  readonly #masks: Set<string>;
  #stopWord: string | null = null;

  /** @param masks shared by all steps of a job; grows */
  constructor(masks: Set<string>) {
    this.#masks = masks;
  }

  /** The line as the log shows it; null: it was a command that shows nothing. */
  read(line: string): string | null {
    const shown = this.#interpret(line);
    return shown === null ? null : masked(shown, this.#masks);
  }

  #interpret(line: string): string | null {
    const match = /^\s*::([\w-]+)(?: [^:]*)?::(.*)$/s.exec(line) ?? oldForm.exec(line);
    if (this.#stopWord !== null) {
      if (line.trim() !== `::${this.#stopWord}::`) return line;
      this.#stopWord = null;
      return null;
    }
    if (match === null) return line;
    const [, name, raw] = match as unknown as [string, string, string];
    if (disabled.has(name)) {
      this.failed = true;
      return `##[error]The \`${name}\` command is disabled.`;
    }
    const value = raw.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
    switch (name) {
      case "add-mask":
        for (const part of [value, ...value.split(/[\r\n]+/)]) if (part.trim() !== "") this.#masks.add(part);
        return null;
      case "stop-commands":
        this.#stopWord = value;
        return null;
      case "group":
        return `##[group]${value}`;
      case "endgroup":
        return "##[endgroup]";
      case "error":
      case "warning":
      case "notice":
        return `##[${name}]${value}`;
      case "debug":
        return null;
      default:
        return line;
    }
  }
}

/** The text with every masked value as `***`. */
export function masked(text: string, masks: ReadonlySet<string>): string {
  let shown = text;
  // The longest first, or a mask that is part of another would leave the rest of it.
  for (const mask of [...masks].sort((a, b) => b.length - a.length)) shown = shown.replaceAll(mask, "***");
  return shown;
}

/** Reads the file of GITHUB_OUTPUT or GITHUB_ENV: `name=value`, or `name<<WORD`, lines, `WORD`. Throws where it is neither. */
export function parseFileCommand(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (line === "") continue;
    const multi = /^([^=]*?)<<(.+)$/.exec(line);
    if (multi === null) {
      const equals = line.indexOf("=");
      if (equals < 1) throw new Error(`Invalid format '${line.slice(0, 100)}'`);
      values[line.slice(0, equals)] = line.slice(equals + 1);
      continue;
    }
    const end = lines.indexOf(multi[2]!, at + 1);
    if (end < 0) throw new Error(`Invalid value. Matching delimiter not found '${multi[2]!}'`);
    values[multi[1]!] = lines.slice(at + 1, end).join("\n");
    at = end;
  }
  return values;
}
