/** The cluster for operators, as JSON. */
import { Controller, Get, Header } from '@nestjs/common';
import { Operators } from '#libs/identity';
import type { ClusterSnapshot } from '#libs/messaging';
import { ClusterService } from './cluster.service';

@Operators()
@Controller('v1/cluster')
export class ClusterController {
  constructor(private readonly cluster: ClusterService) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  snapshot(): Promise<ClusterSnapshot> {
    return this.cluster.snapshot();
  }
}
