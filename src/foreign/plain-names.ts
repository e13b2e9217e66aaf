/** Names without the `/` of a project's app (`shop/api`), which neither a config file nor other tools take. */
import type { AppSpec } from '../protocol/spec.ts';

/** `api`, or `shop-api` where another app has that name; what names it as something to wait for, too. */
export function withPlainNames(specs: readonly AppSpec[]): readonly AppSpec[] {
  const taken = new Set(specs.flatMap(({ name }) => (name.includes('/') ? [] : [name])));
  const names = new Map<string, string>();
  for (const { name } of specs.filter((spec) => spec.name.includes('/'))) {
    const found = candidates(name).find((each) => !taken.has(each))!;
    taken.add(found);
    names.set(name, found);
  }
  const plain = (name: string) => names.get(name) ?? lastPart(name);
  return specs.every(isPlain) ? specs : specs.map((spec) => renamed(spec, plain));
}

const isPlain = ({ name, dependsOn, after }: AppSpec): boolean =>
  ![name, ...Object.keys(dependsOn), ...after].some((each) => each.includes('/'));

const lastPart = (name: string): string => name.slice(name.indexOf('/') + 1);

/** In the order in which they are tried; the last one is free. */
function candidates(name: string): string[] {
  const joined = name.replace('/', '-').slice(0, 60);
  return [lastPart(name), joined, ...Array.from({ length: 1000 }, (_, count) => `${joined}-${count + 2}`)];
}

function renamed(spec: AppSpec, plain: (name: string) => string): AppSpec {
  const { dependsOn, after, options } = spec;
  const text = (words: string) => words.replace(/[^,:\s]+(?=(?::[a-z]+)?\s*(?:,|$))/g, (name) => plain(name));
  return {
    ...spec,
    name: plain(spec.name),
    dependsOn: Object.fromEntries(Object.entries(dependsOn).map(([name, state]) => [plain(name), state])),
    after: after.map(plain),
    options: {
      ...options,
      ...(options.dependsOn && { dependsOn: options.dependsOn.map(text) }),
      ...(options.after && { after: options.after.map(text) }),
    },
  };
}
