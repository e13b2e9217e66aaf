/** What `import { connect } from 'stead'` gives. */
export { connect } from '../api/connect.ts';
export type * from '../api/types.ts';
export type * from '../protocol/api.ts';
export { type ErrorBody, type ErrorCode, SteadError } from '../protocol/errors.ts';
export type * from '../protocol/spec.ts';
export type * from '../protocol/terminal.ts';
