import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../../test/support/temporary.ts';
import { isNodeProgram } from './uses-node.ts';

test("a command is looked at where it will run, not in the daemon's directory", (t) => {
  const cwd = temporaryDirectory(t);
  mkdirSync(join(cwd, 'bin'));
  writeFileSync(join(cwd, 'tool.js'), '#!/usr/bin/env node\n');
  symlinkSync('../tool.js', join(cwd, 'bin/tool'));
  writeFileSync(join(cwd, 'bin/other'), '#!/bin/sh\n');
  const usesNode = (word: string, path = '/nonexistent') =>
    isNodeProgram({ program: { how: 'command', interpreter: null, words: [word] }, env: [`PATH=${path}`], cwd });
  assert.equal(usesNode('./bin/tool'), true);
  assert.equal(usesNode(join(cwd, 'bin/tool')), true);
  assert.equal(usesNode('./bin/other'), false);
  assert.equal(usesNode('tool', 'bin'), true);
  assert.equal(usesNode('tool'), false);
  assert.equal(usesNode('node'), true);
});
