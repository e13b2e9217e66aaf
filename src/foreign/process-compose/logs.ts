/** `log_location` and `log_configuration`: https://f1bonacc1.github.io/process-compose/logging/. */
import type { Draft } from '../draft.ts';
import type { Reader } from './fields.ts';

export function putLogs(
  draft: Draft,
  process: Reader,
  common: Reader | undefined,
  path: (text: string) => string,
): void {
  const location = process.text('log_location');
  if (location !== undefined && draft.put('log_out', path(location), 'log_location')) draft.put('log_merge', true);
  const configuration = process.fields('log_configuration') ?? common;
  const rotation = configuration?.fields('rotation');
  if (rotation !== undefined) putRotation(draft, rotation);
  const rest = (configuration?.keys ?? []).filter((key) => key !== 'rotation');
  if (rest.length > 0)
    draft.note(
      `log_configuration: a program's lines are kept as they are, and their times beside them: ${rest.join(', ')} has no equal.`,
    );
}

function putRotation(draft: Draft, rotation: Reader): void {
  const megabytes = rotation.number('max_size_mb');
  if (megabytes !== undefined && megabytes > 0) draft.put('log_max_size', `${megabytes}M`, 'max_size_mb');
  const files = rotation.number('max_backups');
  if (files !== undefined && files > 0) draft.put('log_keep', files, 'max_backups');
  const compress = rotation.flag('compress');
  if (compress === false) draft.put('log_compress', false);
  const days = rotation.number('max_age_days');
  if (days !== undefined && days > 0)
    draft.note(`max_age_days: ${days}: log_max_age begins a new file by age; how many are kept is log_keep.`);
}
