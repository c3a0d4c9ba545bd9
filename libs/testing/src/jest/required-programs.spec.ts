import { findProgram, requirePrograms } from './required-programs';

describe('requirePrograms', () => {
  it('names what is missing and the line that installs it', () => {
    const programs = [
      { name: 'node', package: 'nodejs' },
      { name: 'no-such-program', package: 'no-such-package' },
      { name: 'nor-this-one', package: 'no-such-package' },
    ];
    expect(() => requirePrograms(programs)).toThrow(
      'Missing: no-such-program, nor-this-one. Install with:\n  apt-get install -y --no-install-recommends no-such-package',
    );
  });

  it('finds what is there', () => {
    expect(findProgram({ name: 'node', package: 'nodejs' })).toMatch(/\/node$/);
    expect(() => requirePrograms([{ name: 'node', package: 'nodejs' }])).not.toThrow();
  });
});
