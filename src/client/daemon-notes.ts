/** What a command that starts the daemon has to say of that; a command that talks to people has it printed. */
export const daemonNotes: { tell(text: string): void } = { tell() {} };
