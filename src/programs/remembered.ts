/**
 * While many apps are looked up at once, what was found is not looked for again: the same command, interpreter or directory stands in most of them. Only that
 * something is there and good is kept, and only as long as the work goes on.
 */
const kept = new Map<string, unknown>();
let depth = 0;

export async function remembering<T>(work: () => Promise<T>): Promise<T> {
  depth += 1;
  try {
    return await work();
  } finally {
    depth -= 1;
    if (depth === 0) kept.clear();
  }
}

/** `isGood` says whether an answer may be kept. */
export async function remembered<T>(key: string, isGood: (answer: T) => boolean, ask: () => Promise<T>): Promise<T> {
  if (depth === 0) return ask();
  if (kept.has(key)) return kept.get(key) as T;
  const answer = await ask();
  if (depth > 0 && isGood(answer)) kept.set(key, answer);
  return answer;
}
