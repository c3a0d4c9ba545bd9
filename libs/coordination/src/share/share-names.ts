/** What processes share of a tenant, as it stands in the names of keys. */
export const REQUEST_SHARE = 'requests';
export const CONNECTION_SHARE = 'share';
