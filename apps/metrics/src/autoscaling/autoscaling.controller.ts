/** What the triggers of autoscaling see, and what they would do now. */
import { Controller, Get, Header } from '@nestjs/common';
import { Operators } from '#libs/identity';
import { type AutoscalingReport, AutoscalingService } from './autoscaling.service';

@Operators()
@Controller('v1/autoscaling')
export class AutoscalingController {
  constructor(private readonly autoscaling: AutoscalingService) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  report(): Promise<AutoscalingReport> {
    return this.autoscaling.report();
  }
}
