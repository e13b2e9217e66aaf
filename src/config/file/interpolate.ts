/**
 * `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:?what to say}` in the values of a config file; `$${` is a `${`. As in Compose files. What a shell is
 * going to read is left to the shell, which has the same variables and those of the app besides.
 */
import { type Document, isPair, isScalar, type Pair, Scalar, visit } from 'yaml';

export interface Unset {
  readonly offset: number;
  readonly text: string;
}

/** Keys whose texts are commands for `sh -c`. */
const ofShell: readonly string[] = ['command', 'before', 'stop_command', 'on'];
const reference = /\$\$(?=\{)|\$\{([A-Za-z_]\w*)(?:(:?[-?])((?:[^{}]|\{[^{}]*\})*))?\}/g;

/** Changes the document; what has no value and no default is returned. */
export function interpolate(document: Document, env: NodeJS.ProcessEnv): readonly Unset[] {
  const unset: Unset[] = [];
  visit(document, {
    Scalar(key, node, path) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return;
      if (path.some((above) => isPair(above) && isForShell(above))) return;
      const text = node.value.replaceAll(reference, (...match) => {
        const [whole, name, operator, rest] = match as unknown as (string | undefined)[];
        if (name === undefined) return whole === '$$' ? '$' : whole!;
        const value = env[name];
        const isThere = value !== undefined && !(operator?.startsWith(':') && value === '');
        if (isThere) return value;
        if (operator?.endsWith('-')) return rest ?? '';
        const why = operator?.endsWith('?') && rest ? rest : 'it has no value and no default';
        unset.push({ offset: node.range?.[0] ?? 0, text: `\${${name}}: ${why}` });
        return '';
      });
      node.value = node.type === Scalar.PLAIN ? asWritten(text) : text;
    },
  });
  return unset;
}

/** So that each `${` of a document is one when it is read. */
export function escapeReferences(document: Document): void {
  visit(document, {
    Scalar(key, node, path) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return;
      if (!path.some((above) => isPair(above) && isForShell(above)))
        node.value = node.value.replaceAll('${', () => '$${');
    },
  });
}

const isForShell = ({ key, value }: Pair): boolean => {
  const name = isScalar(key) ? String(key.value) : '';
  if (ofShell.includes(name)) return true;
  return ['ready', 'alive'].includes(name) && isScalar(value) && String(value.value).startsWith('exec:');
};

/** Without quotes it is what it would be if it stood there. */
const asWritten = (text: string): unknown => (text === 'true' ? true : text === 'false' ? false : text);
