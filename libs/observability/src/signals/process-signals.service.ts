/**
 * Says every five seconds how this process is doing, and shows it to Prometheus. While Redis is away nobody hears it, and after 15
 * seconds the process counts as gone: for what scales by signals, as it does for the queues.
 */
import { join } from 'node:path';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  Optional,
} from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { newId } from '#libs/kernel';
import { COORDINATION_REDIS, LuaScript, type RedisClient } from '#libs/redis';
import { HttpMetrics } from '../http-metrics';
import { MetricsRegistry } from '../metrics-registry';
import { PROCESS_NAME, type ProcessName } from '../process-name';
import { processLimits, type ProcessLoad, ProcessLoadMeter } from './process-load';
import { type ProcessSignals, signalKeys, SILENCE_MS, SPEAK_MS } from './process-signals';

const SPEAK = LuaScript.fromFile<number>(join(__dirname, 'speak.lua'), 2);

@Injectable()
export class ProcessSignalsService implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly id = newId();
  private readonly meter: ProcessLoadMeter;
  private load: ProcessLoad;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    registry: MetricsRegistry,
    private readonly http: HttpMetrics,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
    @Inject(PROCESS_NAME) private readonly name: ProcessName,
    @Optional() @Inject(COORDINATION_REDIS) private readonly redis: RedisClient | null,
  ) {
    const limits = processLimits(config);
    this.meter = new ProcessLoadMeter(limits);
    this.load = this.meter.look();
    for (const [name, help, read] of [
      ['stockyard_process_cpu_ratio', 'Processor time by its limit, over the last 5 s.', () => this.load.cpuRatio],
      ['stockyard_process_cpu_limit_cores', 'Processors that the process may use.', () => limits.cpuCores],
      ['stockyard_process_memory_ratio', 'Resident memory by its limit.', () => this.load.memoryRatio],
      ['stockyard_process_memory_limit_bytes', 'Memory that the process may use.', () => limits.memoryBytes],
    ] as const) {
      registry.gauge({ name, help, read: () => [{ value: read() }] });
    }
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.beat(), SPEAK_MS).unref();
    this.redis?.on('ready', this.tell);
    this.beat();
  }

  /** A process that ends is not one to be counted for another 15 seconds. */
  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.redis?.off('ready', this.tell);
    await this.speak('');
  }

  /** As it stands now. */
  signals(): ProcessSignals {
    const { perSecond, p95Ms } = this.http.lastMinute();
    return {
      process: this.name,
      requests_per_second: perSecond,
      p95_ms: p95Ms,
      cpu_ratio: this.load.cpuRatio,
      memory_ratio: this.load.memoryRatio,
      version: this.config.version,
    };
  }

  private beat(): void {
    this.load = this.meter.look();
    this.tell();
  }

  private readonly tell = (): void => void this.speak(JSON.stringify(this.signals()));

  private async speak(said: string): Promise<void> {
    if (!this.redis) return;
    const keys = signalKeys(this.config.REDIS_KEY_PREFIX);
    await SPEAK.run(this.redis, [...keys, this.id, said, SILENCE_MS]).catch(() => undefined); // heard at the next beat
  }
}
