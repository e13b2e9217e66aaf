/** The logs of an instance, both, whether they are files or not. */
import { type LogPlace, logFiles, placeOf, type StreamName } from '../logs/layout.ts';
import type { Instance } from './instance.ts';

export function logPlacesOf({ app, index }: Instance): Readonly<Record<StreamName, LogPlace>> {
  const files = logFiles(app.daemon.home, app.name, index, app.spec.log);
  const place = (stream: StreamName) => placeOf(app.daemon.home, app.name, { index, stream, file: files[stream] });
  const out = place('out');
  return { out, err: files.err === files.out ? out : place('err') };
}
