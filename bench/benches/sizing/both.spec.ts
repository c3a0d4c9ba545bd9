/** Both sides are told of the same run, whichever asks first. */
import { both } from './both';

describe('work measured for two', () => {
  it('is done once for each pair of figures', async () => {
    let runs = 0;
    const { subject, reference } = both({ subject: 'a', reference: 'b' }, () => {
      runs += 1;
      return Promise.resolve({ subject: runs, reference: runs * 10 });
    });
    const told = [await subject.run(1), await reference.run(1), await reference.run(1), await subject.run(1)];
    expect([told, runs, subject.name, reference.name]).toEqual([[1, 10, 20, 2], 2, 'a', 'b']);
  });
});
