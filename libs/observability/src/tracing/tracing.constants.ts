/** The SDK's side of tracing; null where it is off. */
export const OPEN_TRACING = Symbol('open-tracing');
