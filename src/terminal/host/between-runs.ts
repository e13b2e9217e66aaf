import type { SessionExit } from '../frames-messages.ts';
import type { HostScreen } from './screen-type.ts';

const leaveAlternate = Buffer.from('\x1b[?1049l');
/**
 * What a program may have left its terminal in: mouse and focus reports, bracketed paste, margins, a hidden cursor, colours, other character sets, keyboard modes.
 */
const modesOff =
  '\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?2004l\x1b[?1l\x1b>\x1b[!p\x1b[r\x1b[?7h\x1b[?25h\x1b[<99u\x1b[>4m\x1b(B\x0f\x1b[0m\x1b[0 q';

/** A screen as the next program expects it; the text stays, and the cursor where it is. */
export async function resetModes(screen: HostScreen): Promise<void> {
  // The sequence under way, if there is one, is never finished.
  await screen.feed(Buffer.from('\x18'));
  if (screen.alternate) await screen.feed(leaveAlternate);
  const { row, col } = screen.cursor;
  await screen.feed(Buffer.from(`${modesOff}\x1b[${row + 1};${col + 1}H`));
}

/** For those who stay while the program is started again: a line of its own. */
export async function noteRestart(screen: HostScreen, session: string, exit: SessionExit): Promise<void> {
  await resetModes(screen);
  const begin = screen.cursor.col === 0 ? '' : '\r\n';
  await screen.feed(Buffer.from(`${begin}[${nameOf(session)} ended: ${exitInWords(exit)}; it is started again]\r\n`));
}

const nameOf = (session: string): string => session.replace(/:0$/, '');

function exitInWords({ code, signal, reason }: SessionExit): string {
  if (reason) return reason.replace(/[\x00-\x1f\x7f-\x9f]/g, '?');
  return signal ? `by ${signal}` : code === null ? 'exit code unknown' : `exit code ${code}`;
}
