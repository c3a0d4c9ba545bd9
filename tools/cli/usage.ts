/** What the command line can say, and the error of one that says nothing runnable. */

/** A fault of the user, told in one line; exit status 2. */
export class UsageError extends Error {}

export const USAGE = `Usage: npm run stockyard -- COMMAND [options]

  tenant create --slug SLUG --name NAME [--tier TIER] [--region REGION]
  tenant show TENANT
  tenant suspend TENANT              refuses writes and jobs at once, everywhere
  tenant resume TENANT
  tenant export TENANT [--out FILE]  a complete archive (default: ./SLUG.tar.gz); it holds hashes of passwords and keys
  tenant import FILE [--slug SLUG]   restores an archive beside the tenants that are here
  tenant delete TENANT [--moved-to REGION]
                                     everything, for good, with a proof that nothing is left; whoever asks for it is sent to REGION
  tenant move TENANT --to SHARD      to another shard, while in use
  tenant move TENANT --rollback      undoes a move that is under way
  tenant reconcile TENANT [--repair] compares stock with its movements; --repair writes the movements that are missing

  jobs dead-letters                  whose jobs have failed for good, and on which shard
  jobs dead-letters TENANT [--type TYPE] [--limit N]
                                     a tenant's dead letters, newest first (default: 20, up to 100)
  jobs replay TENANT LETTER          queues the job again, from where it had come to
  jobs replay TENANT --type TYPE     the same for every letter of a type
  jobs discard TENANT LETTER         the job stays failed

TENANT is an id or a slug. The same command again goes on with an operation that is under way.

  --json               one line of JSON on stdout
  --api URL            api to call (default: STOCKYARD_API_URL, or api_url of stack.json)
  --admin-token TOKEN  operator token (default: admin_token of stack.json, or ADMIN_TOKEN with --api)
  --stack FILE         stack.json to connect by (default: the one that \`npm start\` wrote here)

Exit status: 0 done, 1 refused or failed, 2 not understood.
`;
