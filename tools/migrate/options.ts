// The command line of `npm run migrate`.

export interface MigrateCommand {
  /** Say what is missing and change nothing. */
  readonly check: boolean;
}

const USAGE =
  'Usage: npm run migrate            applies what is missing on every shard\n       npm run migrate -- --check says what is missing; exit status 1 when something is';

/** Throws a TypeError with the usage for arguments that it does not know. */
export function parseArguments(args: readonly string[]): MigrateCommand {
  const unknown = args.find((argument) => argument !== '--check');
  if (unknown !== undefined) throw new TypeError(`"${unknown}" is no argument of it.\n${USAGE}`);
  return { check: args.includes('--check') };
}
