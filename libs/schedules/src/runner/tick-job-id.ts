/** The id of the job of a tick: always the same, so that a tick cannot have two. */
import { sha256, uuidv7LowerBound } from '#libs/kernel';

const DAY_MS = 24 * 3_600_000;

/**
 * A UUIDv7 whose random bits come from schedule and tick. Its time is that of the tick; for one that is more than a day late
 * (everything was down) the start of the day before, because the outbox keeps no partitions for long gone months.
 */
export function tickJobId(scheduleId: string, tick: Date, now: Date): string {
  const yesterday = Math.floor(now.getTime() / DAY_MS) * DAY_MS - DAY_MS;
  const digest = sha256(`${scheduleId} ${tick.toISOString()}`);
  const bytes = Buffer.from(uuidv7LowerBound(Math.max(tick.getTime(), yesterday)).replaceAll('-', ''), 'hex');
  digest.copy(bytes, 6, 0, 10);
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
