import { readCredential } from './credential';

describe('readCredential', () => {
  it.each([
    ['  sk_live_1 \n', 'sk_live_1'],
    ['Bearer  sk_live_1', 'sk_live_1'],
    ['', undefined],
    ['two words', undefined],
    ['schlüssel', undefined],
    ['x'.repeat(4_097), undefined],
  ])('of %p', (pasted, credential) => expect(readCredential(pasted)).toBe(credential));
});
