/** Fragments of SQL that repositories share. */

/** A timestamptz expression as RFC 3339 text in UTC with milliseconds, as the API shows times. */
export const rfc3339 = (expression: string): string =>
  `to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
