/** Names of apps: the rule that every name obeys, and what passes in place of another. A name is also a file name and a word on the command line, hence the narrow rule. */

/** Characters. */
export const longestName = 64;
const pattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Whether a name obeys the rule. */
export function isName(name: string): boolean {
  return pattern.test(name) && !isReserved(name);
}

/** What would be taken for an id (`0`, `1e3`, `0x10`, `5.`) or for everything. */
const isReserved = (name: string) => name === 'all' || !Number.isNaN(Number(name));

/** The name nearest to a text that obeys the rule: accents and what is not allowed go, a number gets a word before it. */
export function passingName(text: string): string {
  const plain = text
    .slice(0, 4096)
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .replace(/-{2,}/g, '-');
  const cut = trimEnd(plain.slice(0, longestName));
  if (cut === '') return 'app';
  return isReserved(cut) ? trimEnd(`app-${cut}`.slice(0, longestName)) : cut;
}

const trimEnd = (text: string) => text.replace(/[-.]+$/, '');

/** The first of `name`, `name-2`, `name-3` … that isn't taken. */
export function countOn(name: string, isTaken: (name: string) => boolean): string {
  if (!isTaken(name)) return name;
  for (let number = 2; ; number++) {
    const suffix = `-${number}`;
    const next = name.slice(0, longestName - suffix.length) + suffix;
    if (!isTaken(next)) return next;
  }
}
