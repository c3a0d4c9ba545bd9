/**
 * PromQL, as much of it as autoscalers are asked with: selectors, aggregations, arithmetic, comparisons, and a few functions, by
 * Prometheus' own grammar. What it does not know is an error, never a guess.
 */
import { parser } from '@prometheus-io/lezer-promql';
import { FUNCTIONS, OVER_TIME } from './functions';
import { aggregate, binary, type Group } from './operators';
import type { Labels, Samples } from './samples';
import { PromqlError, type Value } from './value';

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

export interface Moment {
  readonly samples: Samples;
  readonly at: number;
}

/** Throws a PromqlError for what is no PromQL, or more of it than this knows. */
export function evaluate(query: string, moment: Moment): Value {
  return new Evaluation(query, moment).value();
}

/** The one number of an answer: undefined where there is no series; more than one is an error, as scalers take it. */
export function single(query: string, moment: Moment): number | undefined {
  const value = evaluate(query, moment);
  if (typeof value === 'number') return value;
  if (value.length > 1) throw new PromqlError(`${query} has ${value.length} series, and one is wanted.`);
  return value[0]?.value;
}

class Evaluation {
  constructor(
    private readonly query: string,
    private readonly moment: Moment,
  ) {}

  value(): Value {
    const { topNode } = parser.parse(this.query);
    const errors: number[] = [];
    topNode.cursor().iterate(({ type, from }) => {
      if (type.isError) errors.push(from);
    });
    if (errors.length > 0 || topNode.firstChild === null) throw new PromqlError(`"${this.query}" is no PromQL.`);
    return this.of(topNode.firstChild);
  }

  private of(node: SyntaxNode): Value {
    switch (node.name) {
      case 'NumberDurationLiteral':
        return Number(this.text(node));
      case 'ParenExpr':
        return this.of(node.getChild('Expr')!);
      case 'VectorSelector':
        return this.selected(node).map(({ labels, points }) => ({ labels, value: points[0]!.value }));
      case 'AggregateExpr':
        return this.aggregation(node);
      case 'BinaryExpr':
        return this.both(node);
      case 'FunctionCall':
        return this.call(node);
      default:
        throw new PromqlError(`The simulation knows no ${node.name}: ${this.text(node)}`);
    }
  }

  private selected(node: SyntaxNode, rangeSeconds?: number) {
    const metric = this.text(node.getChild('Identifier'));
    const { samples, at } = this.moment;
    if (!samples.has(metric)) throw new PromqlError(`The simulation has no metric ${metric}: ${this.query}`);
    const found = rangeSeconds === undefined ? samples.instant(metric, at) : samples.range(metric, at, rangeSeconds);
    const matchers = descendants(node, 'UnquotedLabelMatcher').map((matcher) => this.matcher(matcher));
    return found.filter(({ labels }) => matchers.every((matches) => matches(labels)));
  }

  private matcher(node: SyntaxNode): (labels: Labels) => boolean {
    const name = this.text(node.getChild('LabelName'));
    const value = JSON.parse(this.text(node.getChild('StringLiteral')).replace(/^'(.*)'$/s, '"$1"')) as string;
    const operator = this.text(node.getChild('MatchOp'));
    const pattern = new RegExp(`^(?:${value})$`);
    const matches = (text: string): boolean => (operator.endsWith('~') ? pattern.test(text) : text === value);
    return (labels) => matches(labels[name] ?? '') === operator.startsWith('=');
  }

  private aggregation(node: SyntaxNode): Value {
    const operation = this.text(node.getChild('AggregateOp'));
    const modifier = node.getChild('AggregateModifier');
    const body = node.getChild('FunctionCallBody')!.getChildren('Expr');
    const inner = this.of(body[0]!);
    if (typeof inner === 'number' || body.length > 1) throw new PromqlError(`Not known: ${this.text(node)}`);
    return aggregate(operation, inner, modifier === null ? { by: true, names: [] } : this.group(modifier, 'By'));
  }

  private group(node: SyntaxNode, isBy: string): Group {
    const names = descendants(node.getChild('GroupingLabels')!, 'LabelName').map((label) => this.text(label));
    return { by: node.getChild(isBy) !== null, names };
  }

  private both(node: SyntaxNode): Value {
    const [left, right] = node.getChildren('Expr') as [SyntaxNode, SyntaxNode];
    const operator = this.query.slice(left.to, right.from).trim().split(/[\s(]/)[0]!;
    const clause = node.getChild('MatchingModifierClause');
    if (clause?.getChild('GroupLeft') || clause?.getChild('GroupRight') || node.getChild('BoolModifier'))
      throw new PromqlError(`Not known: ${this.text(node)}`);
    const on = clause === null ? { by: false, names: [] } : this.group(clause, 'On');
    return binary(operator, [this.of(left), this.of(right)], on);
  }

  private call(node: SyntaxNode): Value {
    const name = this.text(node.getChild('FunctionIdentifier'));
    const args = node.getChild('FunctionCallBody')!.getChildren('Expr');
    const [first] = args;
    if (first?.name === 'MatrixSelector') {
      const overTime = OVER_TIME[name];
      if (!overTime || args.length > 1) throw new PromqlError(`The simulation knows no ${name}(): ${this.query}`);
      const seconds = secondsOf(this.text(first.getChild('DurationExpr')));
      const found = this.selected(first.getChild('Expr')!, seconds);
      return found.flatMap(({ labels, points }) => {
        const real = points.filter(({ value }) => !Number.isNaN(value));
        const value = overTime(real);
        return value === undefined ? [] : [{ labels, value }];
      });
    }
    const known = FUNCTIONS[name];
    if (!known) throw new PromqlError(`The simulation knows no ${name}(): ${this.query}`);
    return known(args.map((argument) => this.of(argument)));
  }

  private text(node: SyntaxNode | null): string {
    return node === null ? '' : this.query.slice(node.from, node.to);
  }
}

const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400 };

function secondsOf(duration: string): number {
  const parts = [...duration.matchAll(/(\d+)(ms|[smhd])/g)];
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit!]!, 0);
}

function descendants(node: SyntaxNode, name: string): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  node.cursor().iterate((at) => {
    if (at.name === name) found.push(at.node);
  });
  return found;
}
