/** Which of the three processes this is. */
export const PROCESS_NAMES = ['api', 'worker', 'metrics'] as const;
export type ProcessName = (typeof PROCESS_NAMES)[number];

/** Injection token of it. */
export const PROCESS_NAME = Symbol('PROCESS_NAME');
