/** What is exported for another tool comes back as it was when it is imported: both readings of that tool's quotes agree. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commandOf, outgoingOf, specOf } from '../../test/support/specs.ts';
import { checked, contextWith } from './fixtures.ts';
import { readSystemd } from './systemd/reading/read.ts';
import { writeSystemd } from './systemd/writing/write.ts';

const text = fc.string({ unit: fc.constantFrom(...'ab ,\'"\\$%{}`*?#~!=|;&<>()[]@:/.+-\té😀'), maxLength: 10 });
const word = fc.oneof(
  text,
  fc.constantFrom('', ';', '\\;', '$HOME', '${HOME}', '$$', '%%', '%i', 'a\nb', '--x=y z', "it's"),
);

test('units: words of a command and values of variables, whatever is in them', () => {
  const context = { scope: 'system', owner: 'root', version: 255, systemdVersion: 255 } as unknown as Parameters<
    typeof writeSystemd
  >[1];
  fc.assert(
    fc.property(fc.array(word, { maxLength: 5 }), fc.array(word, { maxLength: 3 }), (words, values) => {
      const env = values.map((value, at) => `V${at}=${value}`);
      const spec = specOf('web', { env }, { program: commandOf('/usr/bin/web', ...words), cwd: '/srv/web' });
      const { files } = writeSystemd([outgoingOf(spec)], context, '');
      const units = files.map((file) => ({ path: `/u/${file.name}`, text: file.text }));
      const { apps } = checked(readSystemd(units, contextWith('/u/x')));
      assert.deepEqual(apps.web!.command, ['/usr/bin/web', ...words]);
      const read = Object.fromEntries(
        Object.entries((apps.web!.env ?? {}) as object).filter(([name]) => /^V\d$/.test(name)),
      );
      assert.deepEqual(read, Object.fromEntries(values.map((value, at) => [`V${at}`, value])));
      assert.equal(apps.web!.cwd, '/srv/web');
    }),
    { numRuns: 80 },
  );
});
