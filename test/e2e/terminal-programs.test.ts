/** What programs show, and the modes they set, are the same to who was there all along and to who comes back. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { lookAlike, Onlooker } from '../support/onlooker.ts';
import { needs } from '../support/programs.ts';
import { openScript } from '../support/sessions.ts';
import { Stead } from '../support/stead.ts';

const stead = new Stead({ after });
const usual = { cols: 80, rows: 24 };
const other = { cols: 100, rows: 31 };
const text = Array.from({ length: 500 }, (_, at) => `line ${at + 1} ${'word '.repeat(at % 20)}`).join('\n');
writeFileSync(join(stead.directory, 'text'), `${text}\n`);

interface Shown {
  readonly name: string;
  readonly command: readonly string[];
  /** On its screen from the first moment on. */
  readonly pattern: RegExp;
  /** Keys that change much of it, and what is seen then. */
  readonly keys: string;
  readonly later: RegExp;
  /** What ends it. */
  readonly quit: string;
  readonly buffer: 'alternate' | 'normal';
}

const vim = ['-u', 'NONE', '-N', '-n', '--cmd', 'set ruler mouse=a', 'text'];
const vimKeys = {
  pattern: /^line 1 *\n/,
  keys: ':250\rzt',
  later: /^line 250 .*\nline 251/,
  quit: ':q!\r',
  buffer: 'alternate',
} as const;
const programs: readonly Shown[] = [
  { name: 'vim.tiny', command: ['vim.tiny', ...vim], ...vimKeys },
  {
    name: 'vim',
    command: ['vim', ...vim, '-c', 'syntax on | set number hlsearch'],
    ...vimKeys,
    pattern: /1 line 1 *\n/,
    later: /250 line 250 .*\n *251/,
  },
  {
    name: 'less',
    command: ['less', 'text'],
    pattern: /^line 1 *\n/,
    keys: '250g/line 25\r',
    later: /^line 25\d/,
    quit: 'q',
    buffer: 'alternate',
  },
  // Once in a long while: two that look on at different moments would see different figures.
  {
    name: 'top',
    command: ['top', '-d', '1000'],
    pattern: /PID USER/,
    keys: 'M',
    later: /PID USER/,
    quit: 'q',
    buffer: 'normal',
  },
];

for (const { name, command, pattern, keys, later, quit, buffer } of programs)
  test(`${name} looks the same to who stays and to who comes back from another size`, needs(command[0]!), async () => {
    const session = name.replace('.', '-');
    const shell = `echo before; ${command.map((word) => `'${word}'`).join(' ')}; echo "after $?"; read x`;
    await stead.ok(['open', '-d', session, '--', '/bin/sh', '-c', shell]);
    const stays = new Onlooker(stead, ['attach', session], { size: usual });
    const leaves = new Onlooker(stead, ['attach', session], { size: usual });
    await stays.sees(pattern);
    stays.type(keys);
    await lookAlike([stays, leaves], later);
    await leaves.leaves();
    const back = new Onlooker(stead, ['attach', session], { size: other });
    await back.sees(later);
    await stays.resize(other);
    const cells = await lookAlike([stays, back], later);
    assert.match(cells.at(-1)!, new RegExp(` ${buffer}$`));
    assert.equal(cells.length, other.rows + 1);
    back.type(quit);
    assert.match((await lookAlike([stays, back], /after 0/)).at(-1)!, / normal$/);
    if (buffer === 'alternate') assert.match(await back.sees(/after 0/), /^before/m);
    await Promise.all([stays.leaves(), back.leaves()]);
    await stead.ok(['delete', session]);
  });

/** Of what a snapshot has to bring back, beside text: each group in one program. */
const modes: readonly (readonly [title: string, sequences: string])[] = [
  [
    'mouse with its encoding, focus, paste, keypad, cursor keys',
    '\\e[?1002;1006h\\e[?1004h\\e[?2004h\\e[?1h\\e=\\e[?25l',
  ],
  ['margins, origin, tab stops, insert, no wrapping', '\\e[3g\\e[9G\\eH\\e[3;9r\\e[?6h\\e[4h\\e[?7l\\e[4;7H'],
  ['character sets and a saved cursor', '\\e)0\\x0elqk\\e[4;5H\\e[1;44m\\e7\\e[H\\e[0;4:3;58:5:9m'],
  [
    'the alternate screen with a background that clearing leaves, and links',
    '\\e[?1049h\\e[45m\\e[2J\\e[m\\e[2;2H\\e]8;;http://host/\\e\\\\link\\e]8;;\\e\\\\\\e[5 q',
  ],
  ['a cursor behind the last column, in colour', '\\e[32m\\e[5;80Hx'],
];

test('the modes that a program set are those of who comes back, and what it prints next looks the same', async () => {
  await Promise.all(
    modes.map(async ([title, sequences], at) => {
      const name = `modes-${at}`;
      const script = `stty raw -echo; printf 'before${sequences}'; read -r -N 1; printf 'after\\r\\nx'; sleep 1000`;
      await openScript(stead, { name, script });
      const stays = new Onlooker(stead, ['attach', name]);
      await stays.sees(/before|link/);
      const back = new Onlooker(stead, ['attach', name]);
      await lookAlike([stays, back], /before|link/);
      assert.deepEqual(back.eye.state(), stays.eye.state(), title);
      stays.type('x');
      await lookAlike([stays, back], /aft|▒°├/);
      assert.deepEqual(back.eye.state(), stays.eye.state(), `${title}, after what comes next`);
      await Promise.all([stays.leaves(), back.leaves()]);
    }),
  );
});
