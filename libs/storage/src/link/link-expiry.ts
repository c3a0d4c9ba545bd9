/** When a link that is made now ends: whole seconds, as both kinds of links count them. */
import type { AppConfig } from '#libs/config';

export function linkExpiry({ FILE_LINK_TTL_SECONDS }: Pick<AppConfig, 'FILE_LINK_TTL_SECONDS'>): Date {
  return new Date((Math.floor(Date.now() / 1_000) + FILE_LINK_TTL_SECONDS) * 1_000);
}
