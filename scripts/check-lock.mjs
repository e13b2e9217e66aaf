/**
 * Checks that package-lock.json has an entry for every package that another names: `npm ci` refuses to install otherwise. npm leaves out the packages of other
 * platforms when it makes a lock from a registry that lacks them, so a lock can be right where it was made and wrong in every fresh clone.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const problems = ['package-lock.json', 'bench/package-lock.json', 'test/frameworks/package-lock.json'].flatMap(
  missingIn,
);
for (const problem of problems) console.log(problem);
process.exitCode = problems.length === 0 ? 0 : 1;

function missingIn(file) {
  const { packages } = JSON.parse(readFileSync(join(root, file), 'utf8'));
  return Object.entries(packages).flatMap(([place, { dependencies, devDependencies, optionalDependencies }]) =>
    Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies })
      .filter(([name]) => !isFound(packages, place, name))
      .map(([name, range]) => `${file}: ${place || 'the package'} needs ${name} ${range}, which has no entry`),
  );
}

/** Whether a package is in the node_modules of `place` or of a folder above it, as Node looks for it. */
function isFound(packages, place, name) {
  if (`${place ? `${place}/` : ''}node_modules/${name}` in packages) return true;
  if (place === '') return false;
  return isFound(packages, place.slice(0, Math.max(0, place.lastIndexOf('/node_modules/'))), name);
}
