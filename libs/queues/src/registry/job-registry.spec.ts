import { closed, shape } from '#libs/kernel';
import { defineJob } from './job-definition';
import { JobRegistry } from './job-registry';

const payload = shape(closed({}));
const sync = defineJob({ type: 'sync', class: 'critical', version: 1, payload });
const cleanup = defineJob({ type: 'async-cleanup', class: 'low', version: 1, payload });

describe('JobRegistry', () => {
  const registry = new JobRegistry([sync, cleanup]);

  it('maps each type to its own class, never by a part of the name', () => {
    expect(registry.expect('sync').class).toBe('critical');
    expect(registry.expect('async-cleanup').class).toBe('low');
    expect(registry.find('async')).toBeUndefined();
  });

  it('refuses a type that is not registered', () => {
    expect(() => registry.expect('SYNC')).toThrow(expect.objectContaining({ code: 'unknown_job_type' }));
    expect(() => registry.expect('constructor')).toThrow(expect.objectContaining({ code: 'unknown_job_type' }));
  });

  it('refuses two definitions of one type', () => {
    expect(() => new JobRegistry([sync, sync])).toThrow('registered twice');
  });

  it('gives three attempts with two seconds of backoff where nothing else is said', () => {
    expect(sync).toMatchObject({ attempts: 3, backoffMs: 2_000, writes: true });
    expect(sync).toMatchObject({ cost: 1, timeoutMs: 600_000, idempotency: 'checkpointed' });
    expect(defineJob({ type: 'any', version: 1, payload }).class).toBe('normal');
  });

  it.each([
    ['cost', 0],
    ['cost', 1.5],
    ['attempts', 101],
    ['timeoutMs', NaN],
  ])('refuses a definition whose %s is %d, by name', (field, value) => {
    expect(() => defineJob({ type: 'bad', version: 1, payload, [field]: value })).toThrow(`bad: ${field} is ${value}`);
  });
});
