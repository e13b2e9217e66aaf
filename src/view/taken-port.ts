import { describeHolder, whoListens } from '../metrics/sockets.ts';

/** The port that a program complains of in what it printed; null if it does not. */
export function complainedPort(text: string): number | null {
  const port =
    /(?:EADDRINUSE|address already in use)[^\n]*?:(\d{1,5})\b/i.exec(text)?.[1] ??
    /EADDRINUSE[\s\S]*?port: (\d{1,5})\b/.exec(text)?.[1];
  return port === undefined ? null : Number(port);
}

/** `port 5000 is held by pid 812 (node other.js)`, if somebody holds it now. */
export function takenPort(text: string): string | null {
  const port = complainedPort(text);
  const holder = port === null ? null : whoListens(port);
  return holder === null ? null : `port ${port} is held by ${describeHolder(holder)}`;
}
