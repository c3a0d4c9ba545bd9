/** The hours of a retailer's average day, from the lines of its invoices. */
import { newCounts, readInvoices } from '../../replay/source/invoices';
import type { HourlyProfile } from './day';

const HOURS = 24;

/** Days without any line, on which the shop was closed, are no part of the average. Rejects for a file that cannot be read. */
export async function hourlyProfile(file: string): Promise<HourlyProfile> {
  const lines = new Array<number>(HOURS).fill(0);
  const days = new Set<string>();
  for await (const { lines: ofInvoice } of readInvoices({ file, limit: undefined, counts: newCounts() })) {
    for (const { occurredAt } of ofInvoice) {
      lines[Number(occurredAt.slice(11, 13))]! += 1;
      days.add(occurredAt.slice(0, 10));
    }
  }
  const busiest = Math.max(...lines);
  if (busiest === 0) throw new TypeError(`${file} has no line.`);
  return {
    origin: {
      data: 'Online Retail, Daqing Chen, UCI Machine Learning Repository, 2015, DOI 10.24432/C5BW33, licence CC BY 4.0',
      what: `Lines of invoices by hour of ${days.size} days of trade, as shares of the busiest hour.`,
      made: 'npm run simulate -- profile FILE.csv.gz',
    },
    hours: lines.map((count) => Math.round((count / busiest) * 10_000) / 10_000),
  };
}
