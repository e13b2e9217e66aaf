import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseLimits } from '../host/limits.ts';
import { captureCaller } from './caller.ts';

test('limits are read by the names of prlimit(1), unlimited as null', () => {
  const text = [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max cpu time              unlimited            unlimited            seconds   ',
    'Max open files            1024                 1048576              files     ',
    'Max nice priority         0                    0                    ',
    'Max frobs                 1                    2                    frobs     ',
  ].join('\n');
  assert.deepEqual(parseLimits(text), { cpu: [null, null], nofile: [1024, 1_048_576], nice: [0, 0] });
});

test('the caller is captured whole', () => {
  const caller = captureCaller();
  assert.equal(caller.pid, process.pid);
  assert.ok(caller.cwd.startsWith('/'));
  assert.ok(caller.env.every((entry) => entry.indexOf('=') > 0));
  assert.equal(Object.keys(caller.limits).length, 16);
  assert.ok(caller.umask >= 0 && caller.umask <= 0o777);
});
