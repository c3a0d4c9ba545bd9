/** Values that make no sense are refused before anything is rendered, in words that name the value. */
import { CHART } from './files';
import { helm, helmProgram, NAMESPACE, RELEASE } from './rendered/helm';
import { optionsOf, VALUE_SETS } from './rendered/value-sets';

beforeAll(() => void helmProgram(), 600_000); // where it is to be built

describe('values that make no sense are refused', () => {
  const refusal = (set: string, ...options: string[]): string => {
    const { status, stderr } = helm(
      ...['template', RELEASE, CHART, '--namespace', NAMESPACE, ...optionsOf(VALUE_SETS.get(set)!), ...options],
    );
    expect([options, status]).toEqual([options, 1]);
    return stderr;
  };

  it.each([
    ['a name that is misspelt', ['--set', 'api.autoscalling.enabled=false'], /api.*autoscalling/s],
    ['a whole number that is text', ['--set-string', 'api.autoscaling.maxReplicas=many'], /maxReplicas.*integer/s],
    ['a share above 100', ['--set', 'api.autoscaling.cpuPercentOfRequest=170'], /cpuPercentOfRequest.*100/s],
    ['a kind of autoscaler that there is not', ['--set', 'worker.autoscaler=cron'], /autoscaler.*keda/s],
    ['a class of jobs that there is not', ['--set', 'worker.groups.fast.classes={critical,urgent}'], /classes/],
    ['an image that is not pinned by its digest', ['--set', 'api.image.digest=sha256:123'], /digest/],
    ['memory without a unit', ['--set', 'api.resources.limits.memory=512'], /memory/],
    ['a login in an address', ['--set', 'redis.queueUrl=redis://:password@redis:6379'], /queueUrl/],
    ['a host without a port', ['--set', 'database.hosts={postgres}'], /hosts/],
    ['a secret among the settings', ['--set', 'config.JWT_SECRET=x'], /JWT_SECRET/],
    ['a setting that no process knows', ['--set', 'config.JOB_SPEED=9'], /JOB_SPEED/],
    ['a setting out of its bounds', ['--set', 'config.ACCESS_TOKEN_TTL_SECONDS=-1'], /ACCESS_TOKEN_TTL_SECONDS/],
    ['a setting that the chart has', ['--set', 'config.API_PORT=80'], /API_PORT/],
  ])('%s, by values.schema.json', (_, options, says) => {
    const said = refusal('minimal', ...options);
    expect(said).toContain("values don't meet the specifications of the schema");
    expect(said).toMatch(says);
  });

  it.each([
    ['no database', 'minimal', ['--set-json', 'database.hosts=[]'], 'database.hosts: name the servers'],
    ['two databases', 'trial', ['--set', 'database.hosts={a:5432}'], 'exclude each other'],
    ['no Redis', 'minimal', ['--set', 'redis.queueUrl='], 'redis.queueUrl: say where'],
    ['no place for files', 'minimal', ['--set', 'storage.s3.bucket='], 'storage: files need a place'],
    ['a class that nobody runs', 'minimal', ['--set', 'worker.groups.slow=null'], 'no group runs class low'],
    ['a class in two groups', 'minimal', ['--set', 'worker.groups.slow.classes={low,bulk,high}'], 'class high is in'],
    ['a most below the least', 'minimal', ['--set', 'api.autoscaling.maxReplicas=2'], 'maxReplicas is less'],
    ['KEDA without Prometheus', 'minimal', ['--set', 'keda.prometheusUrl='], 'keda.prometheusUrl'],
  ])('%s, with what to do about it', (_, set, options, says) => {
    expect(refusal(set, ...options)).toContain(says);
  });
});
