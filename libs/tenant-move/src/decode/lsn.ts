/** Positions in a write-ahead log: a number of 64 bits, as text two halves in hexadecimal with a slash between. */

export function parseLsn(text: string): bigint {
  const [high, low] = text.split('/');
  return (BigInt(`0x${high!}`) << 32n) | BigInt(`0x${low!}`);
}

export function formatLsn(lsn: bigint): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;
}
