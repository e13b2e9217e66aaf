import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atLogout, killsProcesses } from './logout.ts';

const session = '/user.slice/user-1000.slice/session-3.scope';
const scope = '/user.slice/user-1000.slice/user@1000.service/app.slice/tmux.scope';

test('a session ends what it started where KillUserProcesses=yes; a scope of the own systemd outlives it only with linger', () => {
  const facts = { uid: 1000, lingers: false, kills: false };
  assert.equal(atLogout({ ...facts, cgroup: session }), 'stays');
  assert.equal(atLogout({ ...facts, cgroup: session, kills: true }), 'ends with its session');
  assert.equal(atLogout({ ...facts, cgroup: session, kills: true, lingers: true }), 'stays in a scope');
});

test('what a user’s own systemd runs ends with the last session, but for linger', () => {
  const facts = { uid: 1000, kills: false };
  assert.equal(atLogout({ ...facts, cgroup: scope, lingers: false }), 'ends with the last session');
  assert.equal(atLogout({ ...facts, cgroup: scope, lingers: true, kills: true }), 'stays');
});

test('what belongs to no login stays', () => {
  for (const cgroup of ['/system.slice/cron.service', '/', '', '/user.slice/user-1000.slice/user@1001.service/a.scope'])
    assert.equal(atLogout({ cgroup, uid: 1000, lingers: false, kills: true }), 'stays');
});

test('the files of logind: the last word counts, root is left alone unless said otherwise', () => {
  const yes = '[Login]\nKillUserProcesses=yes\n';
  assert.equal(killsProcesses([], 'dev'), false);
  assert.equal(killsProcesses(['[Login]\n#KillUserProcesses=yes\n'], 'dev'), false);
  assert.equal(killsProcesses([yes], 'dev'), true);
  assert.equal(killsProcesses([yes], 'root'), false);
  assert.equal(killsProcesses([yes, ' KillUserProcesses = no '], 'dev'), false);
  assert.equal(killsProcesses([`${yes}KillExcludeUsers=root dev\n`], 'dev'), false);
  assert.equal(killsProcesses([`${yes}KillExcludeUsers=\n`], 'root'), true);
  assert.equal(killsProcesses([`${yes}KillOnlyUsers=other\n`], 'dev'), false);
});
