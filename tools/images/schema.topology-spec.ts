/** docker-compose.yml against the schema that the Compose specification publishes, in its own loader's Go module. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020';
import { readCompose, variablesOf } from './compose';

const FILE = join(__dirname, '../../docker-compose.yml');
const MODULE = 'github.com/compose-spec/compose-go/v2@v2.16.2';
const SUM = 'h1:pTp1DqQwJzFd85GzlWsSszKA1ABrV/ySqsClujIcWA8=';

function publishedSchema(): object {
  const { status, stdout, stderr } = spawnSync('go', ['mod', 'download', '-json', MODULE], {
    cwd: tmpdir(),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`go mod download ${MODULE}: ${stdout}${stderr}`);
  const { Dir, Sum } = JSON.parse(stdout) as { Dir: string; Sum: string };
  expect(Sum).toBe(SUM);
  return JSON.parse(readFileSync(join(Dir, 'schema/compose-spec.json'), 'utf8')) as object;
}

describe('the Compose specification', () => {
  const variables = Object.fromEntries(variablesOf(FILE).map(({ name }) => [name, 'given']));
  const compose = readCompose(FILE, { ...variables, STOCKYARD_VERSION: '0.1.0' });

  it('knows every key of docker-compose.yml, and takes every value', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
    const validate = ajv.compile(publishedSchema());
    validate(compose);
    expect(validate.errors).toBeNull();
    // It would say so.
    expect(validate({ ...compose, services: { ...compose.services, one: { capdrop: ['ALL'] } } })).toBe(false);
  }, 120_000);
});
