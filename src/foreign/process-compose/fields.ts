/** Values of a YAML map, each of the type that it must have; what has another one is a mistake with its line. */
export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export interface Reader {
  has(key: string): boolean;
  text(key: string): string | undefined;
  number(key: string): number | undefined;
  flag(key: string): boolean | undefined;
  /** A text, or a list of texts. */
  texts(key: string): readonly string[];
  fields(key: string): Reader | undefined;
  readonly keys: readonly string[];
  readonly raw: Fields;
}

export function readerOf(
  raw: Fields,
  path: readonly string[],
  mistake: (path: readonly string[], text: string) => void,
): Reader {
  const read = <T>(key: string, isRight: (value: unknown) => T | undefined, what: string): T | undefined => {
    const value = Object.hasOwn(raw, key) ? raw[key] : undefined;
    if (value === undefined || value === null) return undefined;
    const right = isRight(value);
    if (right === undefined) mistake([...path, key], `${[...path.slice(2), key].join('.')} must be ${what}`);
    return right;
  };
  return {
    raw,
    keys: Object.keys(raw),
    has: (key) => Object.hasOwn(raw, key) && raw[key] !== null,
    text: (key) => read(key, scalarOf, 'a text'),
    number: (key) => read(key, numberOf, 'a number'),
    flag: (key) => read(key, flagOf, 'true or false'),
    texts: (key) => read(key, textsOf, 'a list of texts') ?? [],
    fields: (key) => {
      const inner = read(key, (value) => (isFields(value) ? value : undefined), 'a map');
      return inner === undefined ? undefined : readerOf(inner, [...path, key], mistake);
    },
  };
}

const scalarOf = (value: unknown): string | undefined => (typeof value === 'object' ? undefined : String(value));
const numberOf = (value: unknown): number | undefined =>
  typeof value !== 'object' && value !== '' && Number.isFinite(Number(value)) && Number(value) >= 0
    ? Number(value)
    : undefined;
/** YAML 1.1 words, too, as its own library reads them. */
const flagOf = (value: unknown): boolean | undefined =>
  [true, 'true', 'yes', 'on', 'y'].includes(value as string)
    ? true
    : [false, 'false', 'no', 'off', 'n'].includes(value as string)
      ? false
      : undefined;
const textsOf = (value: unknown): readonly string[] | undefined => {
  const list = Array.isArray(value) ? value : [value];
  return list.every((item) => typeof item !== 'object') ? list.map(String) : undefined;
};
