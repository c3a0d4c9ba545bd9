/** Finds the handlers among the worker's providers. */
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DiscoveryService, Reflector } from '@nestjs/core';
import { JobRegistry } from '../registry/job-registry';
import { HANDLES_JOB, type JobHandler } from './job-handler';

@Injectable()
export class HandlerRegistry implements OnModuleInit {
  private readonly handlers = new Map<string, JobHandler>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly reflector: Reflector,
    private readonly registry: JobRegistry,
  ) {}

  onModuleInit(): void {
    for (const { instance, metatype } of this.discovery.getProviders()) {
      if (typeof metatype !== 'function' || !instance) continue;
      const type = this.reflector.get<string | undefined>(HANDLES_JOB, metatype);
      if (type !== undefined) this.register(type, instance as JobHandler);
    }
  }

  find(type: string): JobHandler | undefined {
    return this.handlers.get(type);
  }

  private register(type: string, handler: JobHandler): void {
    this.registry.expect(type);
    if (this.handlers.has(type)) throw new Error(`Two handlers for job type ${type}.`);
    this.handlers.set(type, handler);
  }
}
