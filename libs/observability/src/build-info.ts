/** Which release of which process this is, so that a graph shows when it was deployed. */
import { Inject, Injectable } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { MetricsRegistry } from './metrics-registry';
import { PROCESS_NAME, type ProcessName } from './process-name';

@Injectable()
export class BuildInfo {
  constructor(
    registry: MetricsRegistry,
    @Inject(APP_CONFIG) { version }: Pick<AppConfig, 'version'>,
    @Inject(PROCESS_NAME) name: ProcessName,
  ) {
    registry.gauge({
      name: 'stockyard_build_info',
      help: 'Always 1; release, process and version of Node.js are its labels.',
      labels: ['version', 'process', 'node'],
      read: () => [{ labels: { version, process: name, node: process.versions.node }, value: 1 }],
    });
  }
}
