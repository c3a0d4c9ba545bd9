/** Wakes the runner of operations when some process says that one was asked for. */
import { Controller } from '@nestjs/common';
import { OperationRunner } from '#libs/lifecycle';
import { OnEvent } from '#libs/messaging';

@Controller()
export class OperationListener {
  constructor(private readonly runner: OperationRunner) {}

  @OnEvent('operation.ready')
  wake(): void {
    this.runner.wake();
  }
}
