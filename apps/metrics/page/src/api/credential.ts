/** The credential of this tab: gone when the tab is closed, never in an address, never shared with another tab. */
const KEY = 'stockyard.credential';
/** What a header can carry; tokens and keys are far below. */
const MOST = 4096;

export const storedCredential = (): string | undefined => sessionStorage.getItem(KEY) ?? undefined;
export const storeCredential = (credential: string): void => sessionStorage.setItem(KEY, credential);
export const forgetCredential = (): void => sessionStorage.removeItem(KEY);

/** What was pasted, without what came along with it; undefined where no header could carry it. */
export function readCredential(pasted: string): string | undefined {
  const text = pasted.trim().replace(/^bearer\s+/i, '');
  return /^[\x21-\x7e]+$/.test(text) && text.length <= MOST ? text : undefined;
}
