/** Outbound: HTTP to addresses that tenants name, guarded and bounded. */
export { OutboundClient, type OutboundOptions, type OutboundRequest, type OutboundResponse } from './outbound-client';
export { OutboundError, type OutboundReason } from './outbound.error';
export { OutboundModule } from './outbound.module';
export type { OutboundBounds } from './patience';
