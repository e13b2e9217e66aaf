/** Why an address can't be had, for a person: who has it, or what it takes. */
import { dirname } from 'node:path';
import { SteadError } from '../../protocol/errors.ts';
import { addressInWords, parseKey } from '../../sockets/address.ts';
import type { App } from '../app.ts';
import { whoHas } from './who-has.ts';

/** PORT_TAKEN, NOT_PERMITTED, OPTION_INVALID; what is none of these is given back as it is. */
export function bindFailure(app: App, key: string, error: NodeJS.ErrnoException): unknown {
  const where = addressInWords(key);
  const path = parseKey(key)?.path ?? null;
  const cannot = (why: string) => `"${app.name}" can't have ${where}: ${why}.`;
  const { code = '' } = error;
  if (code === 'EADDRINUSE') return portTaken(app, key);
  if (code === 'EACCES' || code === 'EPERM')
    return new SteadError('NOT_PERMITTED', cannot('permission denied'), {
      hint: path === null ? portHint : 'choose a folder that this user may write to',
    });
  if (code === 'EADDRNOTAVAIL')
    return new SteadError('OPTION_INVALID', cannot('this machine has no such address'), {
      hint: 'ip addr shows those that it has',
    });
  if (path !== null && folderFaults.includes(code))
    return new SteadError('OPTION_INVALID', cannot(`no socket can be made in ${dirname(path)} (${code})`), {
      hint: 'choose a folder that is there, on a file system that takes sockets',
    });
  return error;
}

const folderFaults = ['ENOENT', 'ENOTDIR', 'EROFS', 'ELOOP', 'ENAMETOOLONG', 'EOPNOTSUPP'];
const portHint = `ports below 1024 are root's: sysctl net.ipv4.ip_unprivileged_port_start=80, or: setcap cap_net_bind_service=+ep ${process.execPath}; then: stead daemon restart`;

function portTaken(app: App, key: string): SteadError {
  const holder = whoHas(app, key);
  return new SteadError(
    'PORT_TAKEN',
    `"${app.name}" can't have ${addressInWords(key)}: ${holder?.inWords ?? 'somebody has it'}.`,
    { hint: holder?.hint ?? 'choose another address' },
  );
}
