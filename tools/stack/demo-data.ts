// The demo organizations and what acme has in stock.

export interface DemoOrganization {
  readonly slug: string;
  readonly name: string;
  readonly tier: string;
  readonly products: readonly DemoProduct[];
}

export interface DemoProduct {
  readonly sku: string;
  readonly name: string;
  readonly price_minor: number;
  readonly currency: string;
  readonly quantity: number;
}

const product = (sku: string, name: string, priceMinor: number, quantity: number): DemoProduct => ({
  sku,
  name,
  price_minor: priceMinor,
  currency: 'EUR',
  quantity,
});

export const DEMO_ORGANIZATIONS: readonly DemoOrganization[] = [
  {
    slug: 'acme',
    name: 'Acme Outfitters',
    tier: 'professional',
    products: [
      product('TENT-2P', 'Two-person tent', 24_900, 40),
      product('STOVE-GAS', 'Gas stove', 5_990, 120),
      product('PACK-45', 'Backpack, 45 litres', 12_900, 65),
      product('LAMP-HEAD', 'Head lamp', 3_490, 300),
      product('BOTTLE-1L', 'Water bottle, 1 litre', 1_990, 500),
      product('ROPE-30', 'Climbing rope, 30 metres', 8_990, 12),
    ],
  },
  { slug: 'globex', name: 'Globex Corporation', tier: 'free', products: [] },
];
