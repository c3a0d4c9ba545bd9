/**
 * What the tenth does in a round: nothing (`quiet`); as many requests for `/live` as in a loud round, and no jobs (`asked`), which is
 * what its being there costs the machine whatever the platform does; or requests and jobs (`loud`).
 */
export const ROUND_KINDS = ['quiet', 'asked', 'loud'] as const;
export type RoundKind = (typeof ROUND_KINDS)[number];
