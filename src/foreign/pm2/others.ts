/** Fields that mean nothing here, with the reason. */
import type { AppReading, Part } from './reading.ts';

const reasons: Readonly<Record<string, string>> = {
  force: 'a second start of a name changes what is there; another name makes another app',
  post_update: 'nothing is pulled and built here: write a script, and stead reload NAME',
  username: 'nothing goes by it',
  name_prefix: 'write the whole name',
  install_url: 'nothing goes by it',
  write: 'nothing goes by it',
  vizion: 'no metadata of git is kept',
  vizion_running: 'no metadata of git is kept',
  pmx: 'nothing is put into the program to measure it; stead list and show look from outside',
  automation: 'nothing is put into the program to measure it',
  trace: 'nothing is put into the program to measure it',
  v8: 'nothing is put into the program to measure it',
  event_loop_inspector: 'nothing is put into the program to measure it',
  deep_monitoring: 'nothing is put into the program to measure it',
  io: 'nothing is put into the program to measure it',
};

/** What says of itself that nothing shall be done needs no words. */
const isOff = (value: unknown): boolean => value === false || value === '' || value === null;

export function readOthers({ values }: AppReading): Part {
  const said = Object.entries(reasons).filter(([key]) => key in values && !isOff(values[key]));
  const why = [...new Set(said.map(([, reason]) => reason))];
  const fieldsOf = (reason: string) => said.flatMap(([key, other]) => (other === reason ? key : [])).join(', ');
  return { notes: why.map((reason) => `${fieldsOf(reason)}: no effect, as ${reason}.`) };
}
