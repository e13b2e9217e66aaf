/** Version of the control API. A client and a daemon talk when their majors are equal. */
export const protocolVersion = { major: 1, minor: 3 } as const;
