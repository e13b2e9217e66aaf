/** stead's own config file: the apps as somebody would write them down. */
import { type StanzaOptions, stanzaOf } from '../../config/file/stanza.ts';
import { writeConfig } from '../../config/file/write-config.ts';
import type { Outgoing, Written } from '../written.ts';

/** `directory` is where the file will lie: paths below it are written from there; null: absolute. */
export function writeSteadConfig(apps: readonly Outgoing[], directory: StanzaOptions['directory']): Written {
  const text = writeConfig({
    apps: apps.map((app) => ({
      stanza: stanzaOf(app.spec, {
        env: entriesOf(app),
        directory: directory ?? null,
      }),
      notes: notesOf(app),
    })),
    notes: [],
  });
  return { files: [{ name: 'stead.config.yaml', text, isPrivate: apps.some(({ env }) => env.size > 0) }], notes: [] };
}

/** As they were said, if they are those that were said. */
function entriesOf({ spec, env }: Outgoing): readonly string[] {
  const nameOf = (entry: string) => entry.slice(0, entry.indexOf('='));
  const said = (spec.options.env ?? []).filter((entry) => env.has(nameOf(entry)));
  if (new Set(said.map(nameOf)).size === env.size) return said;
  return [...env].map(([name, value]) => `${name}=${value}`);
}

function notesOf({ withheld, idle }: Outgoing): string[] {
  return [
    ...(idle === null ? [] : [`It ${idle}; apply starts it.`]),
    ...(withheld.length === 0
      ? []
      : [
          `Left out of env, as their values look secret: ${withheld.join(', ')}. secret: { NAME: file:PATH } reads them from files.`,
        ]),
  ];
}
