/** Which URLs may be asked at all, before any name is resolved. */
import { isIP } from 'node:net';
import type { AddressGuard } from './address-guard';
import { OutboundError } from './outbound.error';

export interface UrlRules {
  readonly guard: AddressGuard;
  /** Whether `http://` will do. */
  readonly allowsHttp: boolean;
}

/** The host as a resolver or a socket takes it: an IPv6 address without its brackets. */
export function hostOf({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

const refused = (message: string) => new OutboundError('refused_url', message, { param: 'url' });

/** Throws `outbound_refused_url` or `outbound_refused_address` (422) with the remedy. */
export function checkedUrl(text: string, { guard, allowsHttp }: UrlRules): URL {
  if (!URL.canParse(text)) throw refused('The url is not a URL such as https://stock.example.com/feed.');
  const url = new URL(text);
  if (url.protocol !== 'https:' && !(allowsHttp && url.protocol === 'http:')) {
    throw refused(`The url must begin with https://${allowsHttp ? ' or http://' : ''}.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw refused('The url holds a user or password; give a bearer token or a header instead.');
  }
  if (url.hash !== '') throw refused('The url holds a fragment (#), which is never sent; leave it out.');
  const host = hostOf(url);
  if (isIP(host) !== 0 && !guard.mayReach(host)) throw refusedAddress(host);
  return url;
}

export function refusedAddress(host: string): OutboundError {
  return new OutboundError(
    'refused_address',
    `The host ${host} leads to an address that is not public; only public ones may be asked.`,
    { param: 'url' },
  );
}
