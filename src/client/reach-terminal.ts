import { escapeControls } from '../host/bytes.ts';
import type { AttachResponse } from '../protocol/api.ts';
import { SteadError } from '../protocol/errors.ts';
import { type ActOptions, act } from './act.ts';

export type Terminal = Extract<AttachResponse, { readonly kind: 'terminal' }>;

/** Where it can be had. Throws NO_TERMINAL for what has an open stdin alone. */
export async function reachTerminal(home: string, select: string, options: ActOptions = {}): Promise<Terminal> {
  const answer = await act(home, 'attach', { ...options, body: { select: [select] } });
  if (answer.kind === 'terminal') return answer;
  const name = escapeControls(answer.name);
  throw new SteadError('NO_TERMINAL', `"${answer.name}" has no terminal; its stdin is open.`, {
    hint: `see what it prints: stead logs -f ${name}; write to it: stead send ${name} TEXT`,
  });
}
