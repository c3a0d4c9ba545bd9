/** Settings of a deployment that is one of several regions (docs/regions.md). */
import Type from 'typebox';

/** How a region may be called: a label in the API, in metrics and in settings. */
export const REGION_NAME = '^[a-z0-9][a-z0-9-]{0,62}$';

export const REGION_SETTINGS = {
  REGION: Type.String({
    pattern: REGION_NAME,
    default: 'default',
    description: 'Region of this deployment, and of the organizations that are made in it.',
  }),
  REGIONS: Type.String({
    maxLength: 20_000,
    default: '',
    description:
      'Every region with the address at which clients reach its api, as JSON: `{"eu":"https://eu.example.com","us":"https://us.example.com"}`; the same in each of them. Empty: there is one region.',
  }),
  REGIONS_SECRET: Type.String({
    default: '',
    description:
      'The same in every region; at least 32 characters. Proves to another region that a credential is of this platform, and opens nothing.',
  }),
  DATABASE_REGION: Type.String({
    pattern: `^$|${REGION_NAME}`,
    default: '',
    description: 'Region of the home shard, where regions share one directory. Empty: REGION.',
  }),
} as const;
