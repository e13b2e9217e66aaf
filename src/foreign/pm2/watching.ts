/** What restarts an app when it changes. pm2 watches every file but those whose names begin with a dot, and knows no .gitignore. */
import { writtenDuration } from '../../config/file/stanza.ts';
import { type AppReading, number, type Part, texts } from './reading.ts';

export function readWatch({ values }: AppReading): Part {
  const paths = values.watch === true ? true : values.watch === false ? [] : (texts(values, 'watch') ?? []);
  const said = ['ignore_watch', 'watch_options', 'watch_delay'].filter((key) => values[key] !== undefined);
  if (paths !== true && paths.length === 0)
    return { notes: said.length === 0 ? [] : [`${said.join(', ')}: nothing is watched, so it has no effect.`] };
  const options = (values.watch_options ?? {}) as Readonly<Record<string, unknown>>;
  const ignored = [...listOf(values.ignore_watch), ...listOf(options.ignored)];
  const patterns = ignored.filter((one) => typeof one === 'string' && !isExpression(one));
  const delay = number(values, 'watch_delay') ?? 0;
  const others = Object.keys(options).filter((key) => key !== 'ignored' && !isUsual(key, options[key]));
  if (delay < 0) return { mistakes: ['"watch_delay" takes milliseconds, 0 or more'] };
  return {
    stanza: {
      watch: paths,
      ext: '*',
      gitignore: false,
      ...(patterns.length > 0 && { ignore_watch: patterns }),
      ...(delay > 0 && { watch_delay: writtenDuration(Math.round(delay)) }),
    },
    notes: [
      ...(patterns.length < ignored.length
        ? ['ignore_watch: only texts (paths and globs) can be taken over, and no regular expressions.']
        : []),
      ...(patterns.length > 0 ? ['ignore_watch: node_modules and names with a dot first stay out as well.'] : []),
      ...(others.length > 0
        ? [`watch_options: ${others.join(', ')}: stead watches in its own way (docs/watch.md).`]
        : []),
    ],
  };
}

const listOf = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/** A regular expression of a module comes as its text. */
const isExpression = (text: string): boolean => /^\/.+\/[dgimsuvy]*$/s.test(text) && /[\\^$+?()|[\]]/.test(text);

/** What stead does anyway. */
const isUsual = (key: string, value: unknown): boolean =>
  (key === 'ignoreInitial' && value === true) ||
  (key === 'persistent' && value === true) ||
  (key === 'followSymlinks' && value === true) ||
  key === 'awaitWriteFinish';
