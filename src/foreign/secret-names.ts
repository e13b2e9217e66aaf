/** Which variables look as if their values were secret. Rather one too many: a value that is left out is named. */

const anywhere = /PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIAL|PRIVATE/i;
const asWord = /(?:^|[_.-])(?:PASS|PWD|KEYS?|DSN|COOKIE)(?:[_.-]|$)|KEY$/i;
/** Directories of the shell. */
const harmless = /^(?:OLD)?PWD$/;
/** `postgres://user:password@host/` */
const inUrl = /:\/\/[^/?#@\s:]*:[^/?#@\s]+@/;

export const looksSecret = (name: string, value: string): boolean =>
  !harmless.test(name) && (anywhere.test(name) || asWord.test(name) || inUrl.test(value));
