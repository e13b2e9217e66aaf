/** Jobs of Nomad in JSON, one for each app, for `nomad job run -json FILE`. */
import { namesOf } from '../labels.ts';
import { withName } from '../notes.ts';
import type { Outgoing, Written } from '../written.ts';
import { type JobOptions, nomadJob } from './job.ts';
import { nomadNotes } from './notes.ts';

const driverNote = 'raw_exec must be enabled on the clients: plugin "raw_exec" { config { enabled = true } }.';

export function writeNomad(apps: readonly Outgoing[], options: JobOptions): Written {
  const ids = namesOf(apps);
  return {
    files: apps.map((app) => ({
      name: `${ids.get(app)}.nomad.json`,
      text: `${JSON.stringify(nomadJob(app, ids.get(app)!, options), null, 2)}\n`,
      isPrivate: app.env.size > 0 || app.path !== null,
    })),
    notes: [driverNote, ...apps.flatMap((app) => withName(app.spec.name, nomadNotes(app, ids.get(app)!)))],
  };
}
