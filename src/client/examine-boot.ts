/** What `doctor` finds of logouts, boots and the Node that is taken then. */
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { flag, lingers, properties } from '../systemd/manager.ts';
import type { UnitFacts } from '../systemd/manager-link.ts';
import { type Examined, type Finding, finding, ok, readText } from './finding.ts';
import { logoutSentence, whatLogoutDoes } from './login.ts';
import { recordedUnit } from './start-unit.ts';

/** What the end of a login does to what a user leaves running: to the daemon, where there is one. */
export function examineLogins({ daemon }: Examined): Finding[] {
  const what = whatLogoutDoes(daemon?.pid ?? 'self');
  const sentence = logoutSentence(what);
  if (sentence !== null)
    return [
      finding(
        'problem',
        'logins',
        sentence.replace(/: loginctl.*/s, ''),
        `loginctl enable-linger ${userInfo().username}, then: stead daemon restart`,
      ),
    ];
  if (what === 'stays in a scope' && daemon !== null)
    return [
      finding(
        'problem',
        'logins',
        'logind ends the daemon and all programs with the session from which they were started',
        'stead daemon restart (it then runs in a scope of your own systemd)',
      ),
    ];
  return [ok('logins', 'programs outlive a logout')];
}

export function examineBoot({ home }: Examined): Finding[] {
  if (!existsSync(join(home, 'apps'))) return [];
  const unit = recordedUnit(home);
  if (unit !== null) return examineUnit(unit);
  const cron = ['/var/spool/cron/crontabs', '/var/spool/cron']
    .map((directory) => readText(join(directory, userInfo().username)) ?? '')
    .join('\n');
  if (/@reboot.*\bstead\b/.test(cron)) return [ok('boot', 'crontab starts stead at boot')];
  return [finding('note', 'boot', 'nothing was found that starts stead when the machine does', 'stead startup')];
}

function examineUnit({ name, scope }: UnitFacts): Finding[] {
  const state = (() => {
    try {
      return properties(scope, name, ['UnitFileState', 'ActiveState']);
    } catch (error) {
      return (error as Error).message;
    }
  })();
  const who = `systemctl ${flag(scope)}`;
  if (typeof state === 'string') return [finding('warning', 'boot', `${name} can't be looked at: ${state}`)];
  if (state.UnitFileState !== 'enabled')
    return [
      finding(
        'warning',
        'boot',
        `${name} is ${state.UnitFileState || 'gone'}: it is not started at boot`,
        'stead startup',
      ),
    ];
  if (state.ActiveState !== 'active')
    return [finding('warning', 'boot', `${name} is ${state.ActiveState}`, `${who}start ${name}; ${who}status ${name}`)];
  const { username } = userInfo();
  if (scope === 'user' && !lingers(username))
    return [
      finding('warning', 'boot', `${name} starts when you log in, not at boot`, `loginctl enable-linger ${username}`),
    ];
  return [ok('boot', `${name} (${who.trim()}) starts the daemon`)];
}

/** What runs the daemon from the next start on is written down in the home; without a daemon yet, what runs this. */
export function examineNode({ home }: Examined): Finding[] {
  const path = readText(join(home, 'lib', 'node'))?.trim() ?? process.execPath;
  if (!existsSync(path))
    return [
      finding(
        'problem',
        'node',
        `${path}, with which the daemon was started, is gone; at its next start it takes another one that it finds`,
        'stead daemon restart: it then runs with the Node of this command',
      ),
    ];
  const manager = /\/\.(nvm|fnm|volta|asdf|nodenv|n)\/|\/(nvm|fnm|mise)\//.exec(path)?.[0];
  if (manager === undefined) return [ok('node', path === process.execPath ? `${path}, ${process.version}` : path)];
  return [
    finding(
      'note',
      'node',
      `${path} belongs to a version manager: removing this version takes the daemon's Node away; it then takes the newest that it finds`,
      'keep one Node installed for the whole machine, or: stead daemon restart after switching',
    ),
  ];
}
