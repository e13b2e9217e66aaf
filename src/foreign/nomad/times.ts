/** Times are nanoseconds in Nomad's JSON. */
export const nanoseconds = (ms: number): number => ms * 1_000_000;
