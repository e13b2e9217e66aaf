import assert from 'node:assert/strict';
import { test } from 'node:test';
import { looksSecret } from './secret-names.ts';

test('what looks secret by its name or its value', () => {
  for (const name of [
    'PASSWORD',
    'DB_PASSWORD',
    'pgpassword',
    'API_KEY',
    'APIKEY',
    'KEY',
    'SSH_KEY_PATH',
    'TOKEN',
    'NPM_TOKEN',
    'SECRET_KEY_BASE',
    'AWS_CREDENTIALS',
    'DB_PASS',
    'SENTRY_DSN',
    'PRIVATE_PEM',
  ])
    assert.ok(looksSecret(name, '1'), name);
  for (const name of ['PWD', 'OLDPWD', 'PORT', 'PATH', 'KEYBOARD', 'COMPASS', 'BYPASS', 'NODE_ENV', 'HOME'])
    assert.ok(!looksSecret(name, '/x'), name);
  assert.ok(looksSecret('DATABASE_URL', 'postgres://me:pw@db/x'));
  assert.ok(looksSecret('REDIS', 'redis://:pw@db'));
  assert.ok(!looksSecret('URL', 'http://host:80/a@b'));
});
