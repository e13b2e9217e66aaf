/** Ecosystem files that are texts: JSON as pm2 takes it (comments, single quotes, trailing commas), YAML, package.json. Those that are programs are evaluated elsewhere. */
import { basename } from 'node:path';
import JSON5 from 'json5';
import { parseDocument } from 'yaml';
import { quote } from '../../config/values.ts';
import { SteadError } from '../../protocol/errors.ts';

const mostBytes = 4 * 1024 * 1024;

/** Throws CONFIG_INVALID with the line of a mistake. */
export function parseEcosystemText(text: string, file: string): unknown {
  if (text.length > mostBytes) throw invalid(file, `it has ${text.length} bytes, more than ${mostBytes}`);
  const value = /\.ya?ml$/i.test(file) ? parseYaml(text, file) : parseJson(text, file);
  return basename(file) === 'package.json' ? ofPackage(value, file) : value;
}

function parseYaml(text: string, file: string): unknown {
  const document = parseDocument(text, { merge: true });
  const [error] = document.errors;
  if (error !== undefined) throw invalid(file, error.message.split('\n')[0]!);
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (failure) {
    throw invalid(file, (failure as Error).message);
  }
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON5.parse(text);
  } catch (error) {
    const why = (error as Error).message.replace(/^JSON5: /, '');
    const looksLikeCode = /\b(process\.env|require\(|module\.exports|=>|function\b)/.test(text);
    throw invalid(
      file,
      why,
      looksLikeCode
        ? 'it holds code, which pm2 runs: call it ecosystem.config.cjs, and write module.exports = before it'
        : undefined,
    );
  }
}

/** `pm2`, or `apps`. */
function ofPackage(value: unknown, file: string): unknown {
  const { pm2, apps } = (value ?? {}) as { readonly pm2?: unknown; readonly apps?: unknown };
  const found = pm2 ?? apps;
  if (found === undefined) throw invalid(file, 'there is neither "pm2" nor "apps" in it');
  return { apps: found };
}

function invalid(file: string, why: string, hint?: string): SteadError {
  return new SteadError('CONFIG_INVALID', `${quote(file)}: ${why}`, hint === undefined ? {} : { hint });
}
