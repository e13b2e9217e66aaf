/** Starts the daemon of a home and resolves when it answers. */
export async function ensureDaemon(home: string): Promise<void> {
  throw new Error(`not there yet: ${home}`);
}
