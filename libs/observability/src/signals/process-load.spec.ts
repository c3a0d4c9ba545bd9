import { cgroupCores, processLimits, ProcessLoadMeter } from './process-load';

const files =
  (found: Readonly<Record<string, string>>) =>
  (path: string): string => {
    if (found[path] === undefined) throw new Error('ENOENT');
    return found[path];
  };

describe('the load of a process', () => {
  it.each([
    [2.5, { '/sys/fs/cgroup/cpu.max': '250000 100000\n' }],
    [undefined, { '/sys/fs/cgroup/cpu.max': 'max 100000\n' }],
    [0.5, { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '50000\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' }],
    [undefined, { '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n', '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n' }],
    [undefined, {}],
  ])('finds %s processors in %j', (cores, found) => {
    expect(cgroupCores(files(found as Record<string, string>))).toBe(cores);
  });

  it('has the limits of the configuration where there are some, and others else', () => {
    expect(processLimits({ PROCESS_CPU_MILLICORES: 1_500, PROCESS_MEMORY_BYTES: 1_024 })).toEqual({
      cpuCores: 1.5,
      memoryBytes: 1_024,
    });
    const found = processLimits({ PROCESS_CPU_MILLICORES: 0, PROCESS_MEMORY_BYTES: 0 });
    expect(found.cpuCores).toBeGreaterThan(0);
    expect(found.memoryBytes).toBeGreaterThan(1_000_000);
  });

  it('is processor time by the time that passed and the limit, since the last look', () => {
    let [usedUs, nowMs] = [5_000_000, 100_000];
    const limits = { cpuCores: 2, memoryBytes: 1e12 };
    const meter = new ProcessLoadMeter(limits, () => usedUs, () => nowMs); // prettier-ignore
    [usedUs, nowMs] = [usedUs + 3_000_000, nowMs + 5_000];
    expect(meter.look().cpuRatio).toBeCloseTo(0.3);
    [usedUs, nowMs] = [usedUs + 10_000_000, nowMs + 5_000];
    const { cpuRatio, memoryRatio } = meter.look();
    expect(cpuRatio).toBeCloseTo(1);
    expect(memoryRatio).toBeGreaterThan(0);
    expect(memoryRatio).toBeLessThan(0.1);
  });
});
