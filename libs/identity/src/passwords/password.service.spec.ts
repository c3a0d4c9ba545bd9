import { decodePhc } from './phc';
import { PasswordService } from './password.service';

/** From the test vectors of the reference implementation (phc-winner-argon2, src/test.c). */
const REFERENCE = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';

describe('PasswordService', () => {
  const passwords = new PasswordService();

  it('accepts the password it hashed and no other', async () => {
    const stored = await passwords.hash('correct horse battery');
    expect(await passwords.verify('correct horse battery', stored)).toBe(true);
    expect(await passwords.verify('correct horse batterz', stored)).toBe(false);
  });

  it('hashes with the parameters of the OWASP cheat sheet and a salt of its own', async () => {
    const [one, two] = await Promise.all([passwords.hash('the same password'), passwords.hash('the same password')]);
    expect(decodePhc(one)).toMatchObject({ memoryKib: 19_456, passes: 2, parallelism: 1 });
    expect(one).not.toBe(two);
  });

  it('verifies hashes with other parameters, as the reference implementation writes them', async () => {
    expect(await passwords.verify('password', REFERENCE)).toBe(true);
    expect(await passwords.verify('Password', REFERENCE)).toBe(false);
  });

  it('takes the composed and the decomposed spelling of a character for the same password', async () => {
    const stored = await passwords.hash('caf\u00e9 au lait');
    expect(await passwords.verify('cafe\u0301 au lait', stored)).toBe(true);
  });

  it('refuses every password where nobody is, and where the stored text is no hash', async () => {
    expect(await passwords.verify('whatever it is', undefined)).toBe(false);
    expect(await passwords.verify('whatever it is', 'plain text')).toBe(false);
  });
});
