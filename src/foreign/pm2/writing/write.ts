/** An ecosystem file of pm2: JavaScript with comments, or JSON. */
import { withName } from '../../notes.ts';
import { commentLines, type Outgoing, type Written } from '../../written.ts';
import { pm2Fields } from './fields.ts';
import { pm2Notes } from './notes.ts';

export function writePm2(apps: readonly Outgoing[], { isJson }: { readonly isJson: boolean }): Written {
  const isPrivate = apps.some(({ env }) => env.size > 0);
  if (!isJson) return { files: [{ name: 'ecosystem.config.cjs', text: javascript(apps), isPrivate }], notes: [] };
  const text = `${JSON.stringify({ apps: apps.map(pm2Fields) }, null, 2)}\n`;
  return {
    files: [{ name: 'ecosystem.config.json', text, isPrivate }],
    notes: apps.flatMap((app) => withName(app.spec.name, pm2Notes(app))),
  };
}

function javascript(apps: readonly Outgoing[]): string {
  const blocks = apps.map((app) => {
    const object = `${JSON.stringify(pm2Fields(app), null, 2)},`;
    return [...commentLines(pm2Notes(app), '//'), ...object.split('\n')].map((line) => `    ${line}`).join('\n');
  });
  const head = '// Written by stead export pm2. Start it with: pm2 start ecosystem.config.cjs';
  return `${head}\nmodule.exports = {\n  apps: [\n${blocks.join('\n')}\n  ],\n};\n`;
}
