/** What the admission gate knows of a request. */

/**
 * In the order in which they are let in, and shed from the end. `interactive`: somebody waits for it, reads and single changes;
 * `report`: exports, reports and what else reads a lot; `bulk`: imports.
 */
export const PRIORITIES = ['interactive', 'report', 'bulk'] as const;
export type Priority = (typeof PRIORITIES)[number];

export interface Visitor {
  /** Id of the organization; of a caller without one, what stands for it, such as its address. */
  readonly tenant: string;
  /** Of the tier: a tenant with twice the weight may have twice as many requests under way before others go first. */
  readonly weight: number;
  /** Requests a second that its rate limit allows in the long run, divided by the api processes. */
  readonly perSecond: number;
  readonly priority: Priority;
  /** Method and template, such as `GET /v1/products/:id`: requests that take about equally long. */
  readonly route: string;
}
