/** What a record itself holds under a word that somebody wrote: `constructor` is none of it. */
export const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;
