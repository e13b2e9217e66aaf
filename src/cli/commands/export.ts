import { executableOf } from '../../client/executable-of.ts';
import { listenText, ownerOf, systemdVersion } from '../../client/machine-facts.ts';
import { type SpecOnDisk, specsFromDisk } from '../../client/offline.ts';
import { argvOf, type OutgoingOptions, outgoing } from '../../foreign/outgoing.ts';
import { withPlainNames } from '../../foreign/plain-names.ts';
import { type Hardening, hardenings } from '../../foreign/systemd/writing/hardening.ts';
import { oldestSystemd } from '../../foreign/systemd/writing/versions.ts';
import type { Outgoing, Written } from '../../foreign/written.ts';
import { encodeBytes, escapeControls } from '../../host/bytes.ts';
import { SteadError } from '../../protocol/errors.ts';
import { selectApps } from '../../protocol/select.ts';
import type { Call, Command } from '../command.ts';
import { directoryOf, targetsOf, writeTargets } from '../export-files.ts';
import { type ExportContext, type ExportKind, type ExportKindName, exportKinds } from '../export-kinds.ts';
import { printJson, say, write } from '../output.ts';
import { assertDirectory } from '../reading.ts';

export const command: Command = {
  name: 'export',
  usage: ['export [kind] [sel…] [-o FILE|DIR] [--with-env] [--force]'],
  about: [
    'Writes what is asked for of the apps for other tools, or as a config file of stead; without a selector of all but jobs that have ended. It is read from disk: no daemon is needed. One text goes to stdout, several go into a directory.',
    `Kinds: ${Object.entries(exportKinds)
      .map(([name, { text }]) => `${name} (${text})`)
      .join('; ')}.`,
    'What a tool has no equal for stands as a comment beside the app, or on stderr. Of the environment what was said with -e is written, and values that look secret are left out. docs/export.md says what becomes of what.',
  ],
  examples: [
    ['stead export > stead.config.yaml', 'all apps, for stead apply'],
    ['stead export systemd web -o units/', 'units of web'],
    ['stead export kubernetes @shop -o k8s/', 'manifests and Dockerfiles of a group'],
  ],
  flags: () => [
    { name: 'output', short: 'o', type: 'text', value: 'path', text: 'a file, or a directory for several' },
    { name: 'with-env', type: 'boolean', text: 'the whole environment that the apps have, not only what was said' },
    { name: 'with-secrets', type: 'boolean', text: 'values, too, that look secret; never for kubernetes' },
    { name: 'user', type: 'boolean', text: "systemd: units for systemctl --user, not the machine's" },
    {
      name: 'hardening',
      type: 'choice',
      choices: hardenings,
      default: 'default',
      text: 'systemd: what the units keep the programs from',
    },
    {
      name: 'systemd-version',
      type: 'integer',
      min: oldestSystemd,
      max: 999,
      value: 'n',
      text: "systemd: the version that is to read them; this machine's without it",
    },
    { name: 'force', short: 'f', type: 'boolean', text: 'write over files that are there' },
  ],
  run: runExport,
};

async function runExport(call: Call): Promise<number> {
  const { home, words, values, json } = call;
  const { kind, selectors } = kindOf(words);
  const stray = ['user', 'hardening', 'systemd-version'].find((flag) => values[flag] !== undefined);
  if (stray !== undefined && kind !== 'systemd')
    throw new SteadError('USAGE', `--${stray} is for stead export systemd`);
  assertDirectory(home);
  const { chosen, left } = choose(await specsFromDisk(home), selectors);
  if (chosen.length === 0)
    throw new SteadError('APP_NOT_FOUND', 'There is nothing to export.', { hint: 'stead list -a shows what there is' });
  const writer: ExportKind = exportKinds[kind];
  const withSecrets = values['with-secrets'] === true && writer.hasSecrets !== true;
  const plain = withPlainNames(chosen.map(({ spec }) => spec));
  const apps = await Promise.all(
    chosen.map((app, at) =>
      outgoingOf({ ...app, spec: plain[at]! }, { withEnv: values['with-env'] === true, withSecrets }),
    ),
  );
  const output = typeof values.output === 'string' ? values.output : null;
  const written = writer.write(apps, {
    directory: output === null ? null : directoryOf(output),
    file: output,
    scope: values.user === true ? 'user' : 'system',
    owner: await ownerOf(home),
    nodeMajor: Number(process.versions.node.split('.')[0]),
    ...(await forSystemd(kind, values)),
  });
  const renamed = chosen.flatMap(({ name }, at) =>
    name === plain[at]!.name ? [] : [`${name} is ${plain[at]!.name} there.`],
  );
  const notes = [...(left.length === 0 ? [] : [leftOut(left)]), ...renamed, ...written.notes];
  deliver({ ...written, notes }, { output, isForced: values.force === true, json });
  return 0;
}

async function forSystemd(
  kind: ExportKindName,
  values: Call['values'],
): Promise<Pick<ExportContext, 'systemdVersion' | 'hardening' | 'listenText'>> {
  const hardening = (values.hardening ?? 'default') as Hardening;
  if (kind !== 'systemd') return { systemdVersion: 0, hardening, listenText: '' };
  const version = values['systemd-version'];
  return {
    systemdVersion: typeof version === 'number' ? version : await systemdVersion(),
    hardening,
    listenText: listenText(),
  };
}

/** The first word, if it is one. */
function kindOf(words: readonly string[]): { readonly kind: ExportKindName; readonly selectors: readonly string[] } {
  const [first = ''] = words;
  if (Object.hasOwn(exportKinds, first)) return { kind: first as ExportKindName, selectors: words.slice(1) };
  return { kind: 'config', selectors: words };
}

interface Chosen {
  readonly chosen: readonly SpecOnDisk[];
  /** Jobs that have ended: they would run again. */
  readonly left: readonly SpecOnDisk[];
}

function choose(all: readonly SpecOnDisk[], selectors: readonly string[]): Chosen {
  if (selectors.length > 0) return { chosen: selectApps(all, selectors), left: [] };
  const isDone = ({ spec, isOver }: SpecOnDisk) => spec.kind === 'job' && spec.schedule === null && isOver;
  return { chosen: all.filter((app) => !isDone(app)), left: all.filter(isDone) };
}

const leftOut = (jobs: readonly SpecOnDisk[]): string =>
  `Jobs that have ended are left out: ${jobs.map(({ name }) => name).join(', ')}. Named, or with all, they are written, too.`;

async function outgoingOf(
  { spec, isWanted, isOver }: SpecOnDisk,
  wanted: Pick<OutgoingOptions, 'withEnv' | 'withSecrets'>,
): Promise<Outgoing> {
  return outgoing(spec, {
    executable: await executableOf(spec, argvOf(spec)[0] ?? ''),
    idle: !isWanted ? 'is stopped' : isOver && spec.schedule === null ? 'has ended' : null,
    ...wanted,
  });
}

interface Delivery {
  readonly output: string | null;
  readonly isForced: boolean;
  readonly json: boolean;
}

function deliver(written: Written, { output, isForced, json }: Delivery): void {
  const { files, notes, isFirstEnough = false } = written;
  const targets = output === null ? [] : targetsOf(written, output);
  if (output === null && !json && files.length > 1 && !isFirstEnough)
    throw new SteadError('USAGE', `These are ${files.length} files: ${files.map(({ name }) => name).join(', ')}`, {
      hint: '-o DIR writes them',
    });
  writeTargets(targets, isForced);
  const paths = targets.map(({ path }) => path);
  if (json) printJson({ files: output === null ? files : paths, notes });
  else {
    write(1, encodeBytes(output === null ? files[0]!.text : paths.map((path) => `${path}\n`).join('')));
    for (const note of notes) say(escapeControls(note));
    const missing = files.length - (output === null ? 1 : targets.length);
    if (missing > 0) say(`-o DIR writes ${missing === 1 ? 'one more file' : `${missing} more files`} beside it.`);
  }
}
