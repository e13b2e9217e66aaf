declare const __STEAD_VERSION__: string;

/** The version of this command, put in by the build. */
export const ownVersion = (): string => (typeof __STEAD_VERSION__ === 'string' ? __STEAD_VERSION__ : '0.0.0');
