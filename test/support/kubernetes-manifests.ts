/** Checks manifests by the schemas of the npm package kubernetes-models: types, required fields, and, from its declarations, that each field is known. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { repository } from './paths.ts';

export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what they know to be there.
  readonly [field: string]: any;
}

/** The documents of a text, each checked. Throws with what is wrong. */
export function checkedManifests(text: string): Manifest[] {
  const manifests = parseAllDocuments(text).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as Manifest;
  });
  for (const manifest of manifests) checkManifest(manifest);
  return manifests;
}

export function checkManifest(manifest: Manifest): void {
  const { apiVersion, kind } = manifest;
  const load = createRequire(join(repository, 'package.json'));
  const Model = load(`kubernetes-models/${apiVersion}/${kind}`)[kind] as new (data: unknown) => { validate(): void };
  new Model(manifest).validate();
  const modules = join(repository, 'node_modules');
  checkFields(manifest, {
    file: join(modules, `kubernetes-models/${apiVersion}/${kind}.d.ts`),
    type: `I${kind}`,
    path: kind,
  });
}

interface Place {
  readonly file: string;
  /** The interface, as that file declares it. */
  readonly type: string;
  readonly path: string;
}

function checkFields(value: Readonly<Record<string, unknown>>, { file, type, path }: Place): void {
  const text = readFileSync(file, 'utf8');
  const body = new RegExp(`interface ${type}[^{]*\\{(.*?)^\\}`, 'ms').exec(text)?.[1] ?? '';
  const fields = new Map(
    [...body.matchAll(/^ {4}"([^"]+)"\??: (.+?);?$/gm)].map(([, name, declared]) => [name!, declared!]),
  );
  for (const [name, inner] of Object.entries(value)) {
    const declared = fields.get(name);
    assert.ok(declared !== undefined, `${path} has no field ${name}`);
    const [, used] = /^(?:Array<)?(I[A-Z]\w+)>?$/.exec(declared) ?? [];
    if (used === undefined) continue;
    const next = declaredIn(text, file, used);
    const items = Array.isArray(inner) ? inner : [inner];
    for (const item of items)
      if (next !== null && typeof item === 'object') checkFields(item, { ...next, path: `${path}.${name}` });
  }
}

/** Where an interface is that a file imports; null: it is a plain type. */
function declaredIn(text: string, file: string, used: string): Omit<Place, 'path'> | null {
  const from = new RegExp(`import \\{[^}]*\\b${used}\\b[^}]*\\} from "([^"]+)"`).exec(text)?.[1];
  if (from === undefined) return null;
  const path = from.startsWith('.') ? join(dirname(file), from) : join(repository, 'node_modules', from);
  const declarations = `${path}.d.ts`;
  const type = new RegExp(`(\\w+) as ${used}\\b`).exec(readFileSync(declarations, 'utf8'))?.[1];
  return type === undefined ? null : { file: declarations, type };
}
