/** Probes and scrapes come every few seconds and say nothing while they succeed. */
export const QUIET_PATHS = /^\/(?:live|ready|health|metrics|api\/(?:health|ready))$/;
