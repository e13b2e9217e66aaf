/** What tells a program from another one that has its name already. */
import { countOn, isName } from '../programs/names.ts';
import { quote } from '../programs/quote.ts';
import type { Resolved } from '../programs/resolve.ts';
import { SteadError } from '../protocol/errors.ts';
import type { AppSpec, SpecOptions } from '../protocol/spec.ts';

export type Wanted = Pick<Resolved, 'name' | 'isNamed' | 'program' | 'cwd'> & { readonly options: SpecOptions };

/** NAME_TAKEN, with what differs: the command line, or with the same one where and how it is run. */
export function nameTaken(wanted: Wanted, taken: AppSpec, isTaken: (name: string) => boolean): SteadError {
  const { name, isNamed } = wanted;
  const differing = differences(wanted, taken);
  const message = isSameLine(wanted, taken)
    ? `The name "${name}" is taken by an app with the same command, but ${differing.join(', ')}.`
    : `The name "${name}" is taken by another program (${quote(lineOf(taken)).slice(1, -1)}).`;
  const free = countOn(name, (other) => isTaken(other) || !isName(other));
  const own = isNamed ? `choose another: --name ${free}` : `give this one a name: --name ${free}`;
  return new SteadError('NAME_TAKEN', message, {
    hint: isSameLine(wanted, taken)
      ? `for that one: stead start ${name}; for one more: --name ${free}`
      : `${own}; or: stead delete ${name}`,
  });
}

const lineOf = ({ program }: Pick<AppSpec, 'program'>): string => program.words.join(' ');
const isSameLine = (wanted: Wanted, taken: AppSpec): boolean => lineOf(wanted) === lineOf(taken);

/** `its directory is /srv/a, not /srv/b`: the shell's own environment is left out, as it is another one each time. */
function differences({ program, cwd, options }: Wanted, taken: AppSpec): string[] {
  const theirs = taken.program;
  const runBy = ({ interpreter, how }: AppSpec['program']) => interpreter?.path ?? (how === 'shell' ? 'sh' : 'itself');
  const variables = (options.env ?? []).filter((entry) => !taken.env.includes(entry));
  const names = variables.map((entry) => quote(entry.split('=', 1)[0]!).slice(1, -1));
  return [
    ...(cwd === taken.cwd ? [] : [`its directory is ${quote(taken.cwd)}, not ${quote(cwd)}`]),
    ...(runBy(program) === runBy(theirs) ? [] : [`it is run by ${runBy(theirs)}, not ${runBy(program)}`]),
    ...(theirs.how === program.how ? [] : [`it was started as a ${theirs.how}, not as a ${program.how}`]),
    ...(JSON.stringify(theirs.words) === JSON.stringify(program.words) ? [] : ['its words are divided otherwise']),
    ...(names.length === 0 ? [] : [`its environment differs in ${names.join(', ')}`]),
  ];
}
