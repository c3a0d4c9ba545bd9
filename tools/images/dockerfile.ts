/** The Dockerfile as stages of steps, with its ARGs filled in, for tests and for `npm run image:try`. */
import { readFileSync } from 'node:fs';
import { DockerfileParser, type Instruction, type ModifiableInstruction } from 'dockerfile-ast';

export interface Step {
  /** `RUN`, `COPY`, … */
  readonly keyword: string;
  /** What follows it, continuation lines joined. */
  readonly text: string;
  /** `--from=build` is `{from: 'build'}`. */
  readonly flags: Readonly<Record<string, string>>;
  /** The words of `text` without flags; of the exec form its elements. */
  readonly words: readonly string[];
}

export interface Stage {
  readonly name: string;
  /** A stage before it, or an image. */
  readonly from: string;
  readonly steps: readonly Step[];
}

/** Comments and line ends of a continued instruction are Docker's, not the shell's. */
function joined(text: string): string {
  return text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replace(/\\\n\s*/g, ' ');
}

function wordsOf(text: string): string[] {
  if (text.startsWith('[')) return JSON.parse(text) as string[];
  return text.split(/\s+/).filter((word) => word !== '');
}

function readStep(instruction: Instruction): Step {
  const keyword = instruction.getKeyword().toUpperCase();
  const text = joined(instruction.getArgumentsContent() ?? '').trim();
  const found = 'getFlags' in instruction ? (instruction as ModifiableInstruction).getFlags() : [];
  const flags = Object.fromEntries(found.map((flag) => [flag.getName(), flag.getValue() ?? '']));
  return { keyword, text, flags, words: wordsOf(text) };
}

/** Throws for what is not a Dockerfile of this kind: every stage has a name, and ARGs come before the first of them. */
export function readDockerfile(file: string): Stage[] {
  const instructions = DockerfileParser.parse(readFileSync(file, 'utf8')).getInstructions();
  const args: Record<string, string> = {};
  const stages: { name: string; from: string; steps: Step[] }[] = [];
  for (const instruction of instructions) {
    const step = readStep(instruction);
    if (step.keyword === 'ARG') {
      const [name = '', value = ''] = step.text.split('=');
      args[name] = value;
    } else if (step.keyword === 'FROM') {
      const [image = '', as, name] = step.words;
      if (as !== 'AS' || name === undefined) throw new Error(`A stage without a name: FROM ${step.text}`);
      const from = image.replace(/\$\{(\w+)\}/g, (_, argument: string) => args[argument] ?? '');
      stages.push({ name, from, steps: [] });
    } else {
      stages.at(-1)!.steps.push(step);
    }
  }
  return stages;
}

/** The steps that make a stage, those of the stages below it first. */
export function stepsOf(stages: readonly Stage[], name: string): Step[] {
  const stage = stages.find((one) => one.name === name);
  return stage ? [...stepsOf(stages, stage.from), ...stage.steps] : [];
}

/** The last step of a kind counts. */
export function lastOf(steps: readonly Step[], keyword: string): Step | undefined {
  return steps.findLast((step) => step.keyword === keyword);
}

/** What ENV sets. */
export function environmentOf(steps: readonly Step[]): Record<string, string> {
  const pairs = steps.filter(({ keyword }) => keyword === 'ENV').flatMap(({ words }) => words);
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}
