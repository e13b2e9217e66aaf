import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../test/support/temporary.ts';
import { type DaemonUnit, daemonUnit, whoseUnit } from './daemon-unit.ts';
import { isKnown, parseVersion } from './versions.ts';

const unit: DaemonUnit = {
  name: 'stead.service',
  scope: 'system',
  home: '/home/deploy/.stead',
  user: 'deploy',
  version: 255,
  canNotify: true,
};
const keysOf = (text: string) => [...text.matchAll(/^(\w+)=/gm)].map((match) => match[1]!);

test('a unit holds the keys that its systemd knows, and no others', () => {
  // By hand from the NEWS of systemd: what came after 239, and when.
  const later = { WatchdogSignal: 240, OOMPolicy: 243, DelegateSubgroup: 254 } as const;
  for (const version of [239, 245, 252, 255]) {
    const keys = keysOf(daemonUnit({ ...unit, version }));
    for (const [key, since] of Object.entries(later))
      assert.equal(keys.includes(key), version >= since, `${key} ${version}`);
    const always = [
      'Type',
      'NotifyAccess',
      'ExecStart',
      'ExecStop',
      'ExecStopPost',
      'Restart',
      'KillMode',
      'WatchdogSec',
      'Delegate',
      'TasksMax',
    ];
    for (const key of always) assert.ok(keys.includes(key), `${key} ${version}`);
  }
});

test('without a way to systemd’s socket nothing waits for a message', () => {
  const keys = keysOf(daemonUnit({ ...unit, canNotify: false }));
  for (const key of ['NotifyAccess', 'WatchdogSec', 'WatchdogSignal']) assert.ok(!keys.includes(key), key);
  assert.match(daemonUnit({ ...unit, canNotify: false }), /^Type=exec$/m);
  assert.doesNotMatch(daemonUnit({ ...unit, canNotify: false, version: 239 }), /^Type=/m);
});

test('a value may be younger than its key', () => {
  assert.equal(isKnown('Type=notify', 239), true);
  assert.equal(isKnown('Type=exec', 239), false);
  assert.equal(isKnown('Type=exec', 240), true);
});

test('the version is read from the first line of systemctl --version', () => {
  assert.equal(parseVersion('systemd 252 (252.38-1~deb12u1)\n+PAM'), 252);
  assert.equal(parseVersion('systemd 239 (239-82.el8)'), 239);
  assert.equal(parseVersion('systemctl: not found'), null);
});

const hostile = '/home/a b/%h $HOME "q" \\ x\n[Service]\nExecStartPre=/bin/evil';

test('no home and no user can put a line into the unit', () => {
  const plain = keysOf(daemonUnit(unit));
  const text = daemonUnit({ ...unit, home: hostile });
  assert.deepEqual(keysOf(text), plain);
  assert.match(
    text,
    /^ExecStart=\/bin\/sh "\/home\/a b\/%%h \$\$HOME \\"q\\" \\\\ x\\x0a\[Service\]\\x0aExecStartPre=\/bin\/evil\/lib/m,
  );
  assert.equal(whoseUnit(text, hostile), 'ours');
  assert.equal(whoseUnit(text, '/home/deploy/.stead'), 'of another home');
  assert.equal(whoseUnit('[Service]\n', hostile), 'not ours');
});

const verify = existsSync('/usr/bin/systemd-analyze');

test('systemd-analyze verify has nothing to say of it', { skip: verify ? false : 'no systemd-analyze' }, (t) => {
  const directory = temporaryDirectory(t, 'unit');
  for (const home of [unit.home, '/home/a b/%h $HOME "q" \\ x']) {
    const path = join(directory, unit.name);
    writeFileSync(path, daemonUnit({ ...unit, home, user: 'root', version: 252 }));
    const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
    const said = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('stead'));
    assert.deepEqual(said, []);
  }
});
