/** Holds the metadata of KEDA's triggers against the parameters that KEDA publishes for each kind: its CRD lets any text by. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ScaledSpec } from '../rendered/scaling';
import { moduleDirectories } from './modules';

interface Parameter {
  readonly name: string;
  readonly optional?: boolean;
  readonly default?: string;
  readonly allowedValue?: readonly string[];
  readonly deprecated?: string;
  readonly metadataVariableReadable?: boolean;
}

type Trigger = ScaledSpec['triggers'][number];

export class PublishedScalers {
  private readonly parameters: ReadonlyMap<string, readonly Parameter[]>;

  constructor(directories = moduleDirectories()) {
    const { scalers } = JSON.parse(
      readFileSync(join(directories.keda, 'schema/generated/scalers-schema.json'), 'utf8'),
    ) as { scalers: { type: string; parameters: Parameter[] }[] };
    this.parameters = new Map(scalers.map(({ type, parameters }) => [type, parameters]));
  }

  problems({ type, metadata }: Trigger): string[] {
    const known = this.parameters.get(type)?.filter((one) => one.metadataVariableReadable);
    if (!known) return [`${type} is no kind of trigger`];
    const missing = known.filter((one) => !one.optional && one.default === undefined && !(one.name in metadata));
    return [
      ...missing.map(({ name }) => `${name} is missing`),
      ...Object.entries(metadata).flatMap(([name, value]) => {
        const parameter = known.find((one) => one.name === name);
        if (!parameter || parameter.deprecated) return [`${name} is ${parameter ? 'deprecated' : 'unknown'}`];
        return parameter.allowedValue?.includes(value) === false ? [`${name} cannot be ${value}`] : [];
      }),
    ];
  }
}
