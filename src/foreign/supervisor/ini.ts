/**
 * INI as supervisord reads it: Python's RawConfigParser with `;` and `#` as inline comments, not strict (https://docs.python.org/3/library/configparser.html).
 * A comment begins a line, or follows a space. Lines indented deeper than their key go on with its value, empty ones among them. Keys are lower case; a section
 * that comes again is the same one, and `[DEFAULT]` holds for all.
 */
export interface Option {
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

export interface Section {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly options: ReadonlyMap<string, Option>;
}

interface Open {
  readonly lines: string[];
  readonly line: number;
}

export interface IniFault {
  readonly line: number;
  readonly text: string;
}

/** The sections in order, and what is none of it. */
export function readIni(
  text: string,
  file: string,
): { readonly sections: readonly Section[]; readonly faults: readonly IniFault[] } {
  const sections = new Map<string, { readonly line: number; readonly options: Map<string, Open> }>();
  const faults: IniFault[] = [];
  let section: Map<string, Open> | null = null;
  let option: Open | null = null;
  let depth = 0;
  for (const [at, raw] of text.split(/\r\n|\r|\n/).entries()) {
    const { value, hasComment } = withoutComment(raw);
    if (value === '') {
      if (!hasComment) option?.lines.push('');
      continue;
    }
    const indent = raw.search(/\S/);
    if (option !== null && indent > depth) {
      option.lines.push(value);
      continue;
    }
    depth = indent;
    option = null;
    const header = /^\[(.+)\]/.exec(value)?.[1];
    const end = value.search(/[=:]/);
    const key = end < 0 ? '' : value.slice(0, end).trimEnd();
    if (header !== undefined) {
      const known = sections.get(header) ?? { line: at + 1, options: new Map<string, Open>() };
      sections.set(header, known);
      section = known.options;
    } else if (section === null)
      faults.push({ line: at + 1, text: `${JSON.stringify(value)} stands before any [section]` });
    else if (!key) faults.push({ line: at + 1, text: `${JSON.stringify(value)} is neither [section] nor key=value` });
    else {
      option = { lines: [value.slice(end + 1).trimStart()], line: at + 1 };
      section.set(key.toLowerCase(), option);
    }
  }
  return { sections: closed(sections, file), faults };
}

function closed(
  sections: ReadonlyMap<string, { readonly line: number; readonly options: ReadonlyMap<string, Open> }>,
  file: string,
): Section[] {
  const common = [...(sections.get('DEFAULT')?.options ?? [])];
  return [...sections]
    .filter(([name]) => name !== 'DEFAULT')
    .map(([name, { line, options }]) => ({
      name,
      file,
      line,
      options: new Map(
        [...common, ...options].map(([key, open]) => [
          key,
          { value: open.lines.join('\n').trimEnd(), line: open.line },
        ]),
      ),
    }));
}

function withoutComment(raw: string): { readonly value: string; readonly hasComment: boolean } {
  const at = raw.search(/(?<=^|\s)[;#]/);
  return { value: (at < 0 ? raw : raw.slice(0, at)).trim(), hasComment: at >= 0 };
}
