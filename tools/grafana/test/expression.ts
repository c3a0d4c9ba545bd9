/**
 * Reads an expression of a panel with Prometheus' own grammar: which series it asks for, which labels its answer has, and what
 * is wrong with it by what is known of the metrics.
 */
import { parser } from '@prometheus-io/lezer-promql';
import { KNOWN } from './known-metrics';

type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

export interface Expression {
  readonly selectors: readonly Selector[];
  /** Of the series that it answers with. */
  readonly labels: ReadonlySet<string>;
  readonly problems: readonly string[];
}

/** As Grafana would send it: all of everything, and its own windows. */
export const concrete = (expr: string): string =>
  expr.replaceAll('$__rate_interval', '5m').replaceAll('$top', '5').replace(/\$\w+/g, '.*');

const OF_COUNTERS = new Set(['rate', 'increase', 'irate', 'resets']);
const KEEPS_SERIES = new Set(['Topk', 'Bottomk', 'LimitK']);
/** Take the replicas of metrics processes as one. */
const ONE_OF_REPLICAS = new Set(['Max', 'Min', 'Group']);

export function readExpression(text: string): Expression {
  const source = concrete(text);
  const reader = new Reader(source);
  const tree = parser.parse(source);
  const body = tree.topNode.firstChild;
  tree.iterate({
    enter: ({ type, from }) => {
      if (type.isError) reader.problems.push(`is no PromQL from "${source.slice(from)}"`);
    },
  });
  const labels = body === null ? new Set<string>() : reader.labelsOf(body, {});
  return { selectors: reader.selectors, labels, problems: reader.problems };
}

interface Around {
  readonly aggregation?: { readonly name: string; readonly by: ReadonlySet<string> };
  readonly call?: string;
}

class Reader {
  readonly selectors: Selector[] = [];
  readonly problems: string[] = [];

  constructor(private readonly source: string) {}

  labelsOf(node: SyntaxNode, around: Around): Set<string> {
    switch (node.name) {
      case 'VectorSelector':
        return this.ofSelector(node, around);
      case 'AggregateExpr':
        return this.ofAggregation(node, around);
      case 'BinaryExpr':
        return this.ofBoth(node, around);
      case 'FunctionCall':
        return this.ofCall(node, around);
      default:
        return this.ofChildren(node, around);
    }
  }

  private ofSelector(node: SyntaxNode, { aggregation, call }: Around): Set<string> {
    const metric = this.text(node.getChild('Identifier'));
    const matchers = descendants(node, 'UnquotedLabelMatcher').map((matcher) => ({
      label: this.text(matcher.getChild('LabelName')),
      operator: this.text(matcher.getChild('MatchOp')),
      value: this.text(matcher.getChild('StringLiteral')).slice(1, -1),
    }));
    this.selectors.push({ metric, matchers });
    const known = KNOWN.get(metric);
    if (known === undefined) {
      this.problems.push(`asks for ${metric}, which nothing has`);
      return new Set();
    }
    this.need(
      matchers.map(({ label }) => label),
      known.labels,
      `matches ${metric} by`,
    );
    if (OF_COUNTERS.has(call ?? '') !== (known.kind === 'counter'))
      this.problems.push(`takes ${call ?? 'the value'} of ${metric}, a ${known.kind}`);
    const isOne = ONE_OF_REPLICAS.has(aggregation?.name ?? '') || aggregation?.by.has('instance');
    if (known.isOfCluster && isOne !== true) this.problems.push(`counts ${metric} once for each metrics process`);
    return new Set(known.labels);
  }

  private ofAggregation(node: SyntaxNode, around: Around): Set<string> {
    const operation = node.getChild('AggregateOp')!.firstChild!.name;
    const modifier = node.getChild('AggregateModifier');
    const names = modifier === null ? [] : this.grouping(modifier);
    const body = node.getChild('FunctionCallBody')!;
    if (KEEPS_SERIES.has(operation)) return this.ofChildren(body, around);
    const inner = this.ofChildren(body, { aggregation: { name: operation, by: new Set(names) } });
    this.need(names, inner, `groups by`);
    if (!modifier?.getChild('Without')) return new Set(names);
    return new Set([...inner].filter((label) => !names.includes(label)));
  }

  private ofBoth(node: SyntaxNode, around: Around): Set<string> {
    const [left, right] = node.getChildren('Expr').map((side) => this.labelsOf(side, around));
    const clause = node.getChild('MatchingModifierClause');
    if (clause?.getChild('Ignoring')) this.need(this.grouping(clause), new Set([...left!, ...right!]), 'ignores');
    else if (clause !== null) for (const side of [left!, right!]) this.need(this.grouping(clause), side, 'joins on');
    return left!.size > 0 ? left! : right!;
  }

  private ofCall(node: SyntaxNode, around: Around): Set<string> {
    const call = this.text(node.getChild('FunctionIdentifier'));
    const labels = this.ofChildren(node.getChild('FunctionCallBody')!, { ...around, call });
    if (call === 'histogram_quantile' && !labels.delete('le')) this.problems.push('takes a quantile without le');
    return labels;
  }

  private ofChildren(node: SyntaxNode, around: Around): Set<string> {
    return new Set(node.getChildren('Expr').flatMap((child) => [...this.labelsOf(child, around)]));
  }

  private grouping(node: SyntaxNode): string[] {
    return descendants(node.getChild('GroupingLabels')!, 'LabelName').map((label) => this.text(label));
  }

  private need(names: readonly string[], labels: ReadonlySet<string>, how: string): void {
    for (const name of names) if (!labels.has(name)) this.problems.push(`${how} ${name}, which is not there`);
  }

  private text(node: SyntaxNode | null): string {
    return node === null ? '' : this.source.slice(node.from, node.to);
  }
}

function descendants(node: SyntaxNode, name: string): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  node.cursor().iterate((at) => {
    if (at.name === name) found.push(at.node);
  });
  return found;
}
