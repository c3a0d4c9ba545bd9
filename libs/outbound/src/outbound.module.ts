/** The one way of the platform to addresses that tenants name. */
import { Global, Module } from '@nestjs/common';
import { APP_CONFIG, type AppConfig } from '#libs/config';
import { OutboundClient } from './outbound-client';

function outboundClient({ OUTBOUND_HTTP, outboundBlocks, tracedHosts, version }: AppConfig): OutboundClient {
  const userAgent = `Stockyard/${version}`;
  return new OutboundClient({
    allowedBlocks: outboundBlocks,
    allowsHttp: OUTBOUND_HTTP === 'on',
    tracedHosts,
    userAgent,
  });
}

@Global()
@Module({
  providers: [{ provide: OutboundClient, inject: [APP_CONFIG], useFactory: outboundClient }],
  exports: [OutboundClient],
})
export class OutboundModule {}
