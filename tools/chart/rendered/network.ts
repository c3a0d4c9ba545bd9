/** What NetworkPolicies let through, as https://kubernetes.io/docs/concepts/services-networking/network-policies/ has it. */
import type { KubernetesObject, Labels } from './objects';
import { type Selector, selects } from './pods';

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports?: readonly { readonly port: number | string; readonly protocol?: string }[];
}

interface PolicySpec {
  readonly podSelector: Selector;
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}

/** A pod of the release by its labels, a pod of another namespace, or an address outside. */
export interface End {
  readonly labels?: Labels;
  readonly namespace?: Labels;
  readonly outside?: 'private' | 'public';
}

export class Policies {
  private readonly specs: readonly PolicySpec[];

  constructor(objects: readonly KubernetesObject[]) {
    this.specs = objects.filter(({ kind }) => kind === 'NetworkPolicy').map(({ spec }) => spec as PolicySpec);
  }

  get areThere(): boolean {
    return this.specs.length > 0;
  }

  /** A pod that no policy of a direction selects is open in it. */
  allow(from: End, to: End, port: number, protocol = 'TCP'): boolean {
    return this.direction('Egress', from, to, port, protocol) && this.direction('Ingress', to, from, port, protocol);
  }

  private direction(type: 'Ingress' | 'Egress', of: End, other: End, port: number, protocol: string): boolean {
    if (!of.labels || of.namespace) return true;
    const own = this.specs.filter(
      ({ podSelector, policyTypes }) => policyTypes.includes(type) && selects(podSelector, of.labels!),
    );
    if (own.length === 0) return true;
    const rules = own.flatMap(({ ingress = [], egress = [] }) => (type === 'Ingress' ? ingress : egress));
    return rules.some(
      (rule) => hasPort(rule, port, protocol) && hasPeer(type === 'Ingress' ? rule.from : rule.to, other),
    );
  }
}

const hasPort = ({ ports }: Rule, port: number, protocol: string): boolean =>
  ports === undefined || ports.some((one) => one.port === port && (one.protocol ?? 'TCP') === protocol);

/** No list is everybody. */
function hasPeer(peers: readonly Peer[] | undefined, other: End): boolean {
  if (peers === undefined || peers.length === 0) return true;
  return peers.some((peer) => {
    if (peer.ipBlock) return other.outside === (isPublicOnly(peer.ipBlock) ? 'public' : 'private');
    const inNamespace = peer.namespaceSelector
      ? other.namespace !== undefined && selects(peer.namespaceSelector, other.namespace)
      : other.namespace === undefined && other.labels !== undefined;
    return inNamespace && (peer.podSelector === undefined || selects(peer.podSelector, other.labels ?? {}));
  });
}

const isPublicOnly = ({ cidr, except = [] }: NonNullable<Peer['ipBlock']>): boolean =>
  cidr === '2000::/3' || (cidr === '0.0.0.0/0' && except.includes('10.0.0.0/8'));
