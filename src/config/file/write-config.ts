/** A config file as a person would have written it: apps as stanzas (stanza.ts), comments where something must be said. */
import { Document, isMap, isSeq, type Pair, Scalar, type YAMLMap } from 'yaml';
import { escapeReferences } from './interpolate.ts';

export interface WrittenApp {
  readonly stanza: Readonly<Record<string, unknown>>;
  /** A comment line each, above the app. */
  readonly notes: readonly string[];
}

export interface WrittenConfig {
  readonly apps: readonly WrittenApp[];
  /** At the head of the file. */
  readonly notes: readonly string[];
}

/** YAML that read-config.ts reads back into the same. */
export function writeConfig({ apps, notes }: WrittenConfig): string {
  const document = new Document({ apps: apps.map(({ stanza }) => stanza) }, { aliasDuplicateObjects: false });
  escapeReferences(document);
  const list = document.get('apps');
  if (isSeq(list)) {
    for (const [at, item] of list.items.entries()) {
      if (!isMap(item)) continue;
      for (const pair of item.items as Pair[]) flowWords(pair);
      const said = apps[at]!.notes;
      if (said.length > 0) item.commentBefore = commentOf(said);
      item.spaceBefore = at > 0;
    }
  }
  if (notes.length > 0) document.commentBefore = commentOf(notes);
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** Lists of words stand in one line; what YAML would read as something else is quoted by the library. */
function flowWords(pair: Pair): void {
  if (isSeq(pair.value)) pair.value.flow = pair.value.items.every((item) => item instanceof Scalar);
  if (isMap(pair.value)) (pair.value as YAMLMap).flow = false;
}

/** No line of it may end the comment. */
const commentOf = (lines: readonly string[]): string =>
  lines
    .flatMap((line) => line.split(/\r?\n/))
    .map((line) => ` ${line}`)
    .join('\n');
