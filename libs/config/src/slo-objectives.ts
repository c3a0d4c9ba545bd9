/** Service level objectives by tier: the defaults, and what SLO_OBJECTIVES changes of them. */
import Type from 'typebox';
import { Compile } from 'typebox/compile';

interface SloObjective {
  /** Share of requests that are answered without a failure of ours. */
  readonly availability: number;
  /** Share of answers that begin within `latency_ms`. */
  readonly latency: number;
  readonly latency_ms: number;
}

export type SloObjectives = Readonly<Record<(typeof SLO_TIERS)[number], SloObjective>>;

/** As `TIERS` of libs/tenancy, which stands to the right of this library; a spec there compares them. */
export const SLO_TIERS = ['free', 'starter', 'professional', 'enterprise'] as const;

const DEFAULT: SloObjective = { availability: 0.9999, latency: 0.95, latency_ms: 500 };

const share = () => Type.Optional(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1 }));
const CHANGES = Type.Object(
  { availability: share(), latency: share(), latency_ms: Type.Optional(Type.Integer({ minimum: 1, maximum: 60_000 })) },
  { additionalProperties: false },
);
const SETTING = Type.Object(
  Object.fromEntries(SLO_TIERS.map((tier) => [tier, Type.Optional(CHANGES)])) as Record<
    (typeof SLO_TIERS)[number],
    Type.TOptional<typeof CHANGES>
  >,
  { additionalProperties: false },
);
const setting = Compile(SETTING);

/** Throws an error that names the part at fault. */
export function sloObjectives(text: string): SloObjectives {
  const changes = parse(text);
  if (!setting.Check(changes)) {
    const [error] = setting.Errors(changes);
    throw new Error(`SLO_OBJECTIVES${error!.instancePath.replaceAll('/', '.')} ${error!.message}.`);
  }
  return Object.fromEntries(SLO_TIERS.map((tier) => [tier, { ...DEFAULT, ...changes[tier] }])) as SloObjectives;
}

function parse(text: string): unknown {
  if (text === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('SLO_OBJECTIVES must be JSON such as {"free":{"availability":0.999}}.');
  }
}
