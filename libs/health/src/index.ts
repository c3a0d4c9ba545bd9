/** Health: is this process alive, does it want requests, what of its surroundings is out; and leaving in order. */
export { HealthModule } from './health.module';
export { type DependencyHealth, type HealthReport, HealthService } from './health.service';
export { DrainService, type ProcessState } from './drain.service';
export { DEPENDENCIES, type DependencyFault, type DependencyName } from './dependency';
