/**
 * Checks docs/compat/*.md: every number is there once, and every test that a row names is in its file. At most so many rows may say why something is otherwise. Each
 * problem is one line; exit code 1 if there is any.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Numbers, and how many of them may be against. */
const lists = {
  pm2: { from: 1, to: 61, against: 8 },
  forever: { from: 1, to: 28, against: 3 },
  nodemon: { from: 29, to: 52, against: 3 },
};

const problems = Object.entries(lists).flatMap(([name, list]) => problemsOf(`docs/compat/${name}.md`, list));
for (const problem of problems) console.log(problem);
console.log(
  problems.length === 0 ? 'compat: every number and every test is there' : `compat: ${problems.length} problems`,
);
process.exitCode = problems.length === 0 ? 0 : 1;

function problemsOf(file, { from, to, against }) {
  const rows = readFileSync(join(root, file), 'utf8')
    .split('\n')
    .map((line) => /^\| (\d+) \| (.+) \| (.+) \|$/.exec(line))
    .filter(Boolean)
    .map(([, number, , last]) => ({ number: Number(number), last }));
  const expected = Array.from({ length: to - from + 1 }, (_, at) => from + at);
  const counts = expected.map((number) => [number, rows.filter((row) => row.number === number).length]);
  const refused = rows.filter(({ last }) => last.startsWith('against: '));
  return [
    ...counts.flatMap(([number, count]) => (count === 1 ? [] : [`${file}: number ${number} is there ${count} times`])),
    ...rows.flatMap(({ number }) => (expected.includes(number) ? [] : [`${file}: there is no number ${number}`])),
    ...(refused.length > against ? [`${file}: ${refused.length} are against, more than ${against}`] : []),
    ...rows.filter((row) => !refused.includes(row)).flatMap((row) => missingTest(file, row)),
  ];
}

/** `` `test/e2e/x.test.ts`: the title ``. */
function missingTest(file, { number, last }) {
  const [, path, title] = /^`([^`]+)`: (.+)$/.exec(last) ?? [];
  if (path === undefined) return [`${file}: ${number} names no test`];
  if (!existsSync(join(root, path))) return [`${file}: ${number}: there is no ${path}`];
  const text = readFileSync(join(root, path), 'utf8');
  return ["'", '"', '`'].some((quote) => text.includes(`${quote}${title}${quote}`))
    ? []
    : [`${file}: ${number}: ${path} has no test "${title}"`];
}
