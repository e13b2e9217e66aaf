import { describeHolder, whoListens } from '../metrics/sockets.ts';

/** The port that a program complains of in what it printed; null if it does not. */
export function complainedPort(text: string): number | null {
  const port =
    /(?:EADDRINUSE|address already in use)[^\n]*?:(\d{1,5})\b/i.exec(text)?.[1] ??
    /EADDRINUSE[\s\S]*?port: (\d{1,5})\b/.exec(text)?.[1];
  return port === undefined ? null : Number(port);
}

/** `port 5000 is held by pid 812 (node other.js)`, if somebody holds it now. `known` tells of those that the caller knows better than the kernel does. */
export function takenPort(text: string, known: (port: number) => string | null = () => null): string | null {
  const port = complainedPort(text);
  if (port === null) return null;
  const better = known(port);
  const holder = better === null ? whoListens(port) : null;
  const by = better ?? (holder === null ? null : describeHolder(holder));
  return by === null ? null : `port ${port} is held by ${by}`;
}
