/** Wakes the relay when some process says that the outbox has new rows. */
import { Controller } from '@nestjs/common';
import { OnEvent } from '#libs/messaging';
import { OutboxRelay } from '#libs/queues';

@Controller()
export class OutboxListener {
  constructor(private readonly relay: OutboxRelay) {}

  @OnEvent('outbox.ready')
  wake(): void {
    this.relay.wake();
  }
}
