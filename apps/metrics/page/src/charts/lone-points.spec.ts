import { lonePoints } from './lone-points';

describe('lonePoints', () => {
  it.each([
    [[], []],
    [[1], [0]],
    [[1, 2], []],
    [
      [null, 3, null, 4, 5, undefined, 0],
      [1, 6],
    ],
    [[null, null], []],
  ])('of %j are at %j', (values, found) => {
    expect(lonePoints(values)).toEqual(found);
  });
});
