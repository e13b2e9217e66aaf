import type { Outgoing } from '../../written.ts';

/** Several instances are `NAME@.service`. */
export const isTemplate = ({ spec }: Outgoing): boolean => (spec.share.instances ?? 1) > 1;
