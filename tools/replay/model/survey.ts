/** Pass 1: what each country needs before the replay begins, folded from the operations of the whole file. */
import { type Invoice } from '../source/invoices';
import type { RetailLine } from '../source/retail-line';
import { isGoods, toOperations } from './classify';
import type { Operation } from './operation';

export interface SurveyedProduct {
  readonly sku: string;
  /** First description of a sale; any other, or the SKU, where no sale has one. */
  name: string;
  /** First price of a sale, minor units. */
  priceMinor: number;
  /** Units that leave in the whole file: sold and written off. */
  outflow: number;
}

export interface CountrySurvey {
  readonly country: string;
  readonly products: Map<string, SurveyedProduct>;
}

const MAX_NAME = 300;

export class Survey {
  readonly countries = new Map<string, CountrySurvey>();
  /** Requests that the replay will send. */
  operations = 0;
  /** Invoice numbers that come again after another invoice: each time an order of its own. */
  repeatedInvoices = 0;
  private readonly invoices = new Set<string>();
  private readonly provisionalNames = new WeakSet<SurveyedProduct>();

  add(invoice: Invoice): void {
    const country = this.country(invoice.country);
    for (const line of invoice.lines) if (isGoods(line.sku)) this.describe(country, line);
    for (const operation of toOperations(invoice)) this.consume(country, operation);
    const key = `${invoice.number} ${invoice.country}`;
    if (invoice.part === 1 && this.invoices.has(key)) this.repeatedInvoices += 1;
    this.invoices.add(key);
  }

  get products(): number {
    return [...this.countries.values()].reduce((sum, { products }) => sum + products.size, 0);
  }

  private country(name: string): CountrySurvey {
    const known = this.countries.get(name);
    if (known) return known;
    const made: CountrySurvey = { country: name, products: new Map() };
    this.countries.set(name, made);
    return made;
  }

  private describe({ products }: CountrySurvey, line: RetailLine): void {
    let product = products.get(line.sku);
    if (!product) {
      product = { sku: line.sku, name: line.sku, priceMinor: 0, outflow: 0 };
      products.set(line.sku, product);
      this.provisionalNames.add(product);
    }
    const sale = line.quantity > 0 && line.priceMinor > 0;
    if (sale && product.priceMinor === 0) product.priceMinor = line.priceMinor;
    if (line.description && this.provisionalNames.has(product) && (sale || product.name === product.sku)) {
      product.name = line.description.slice(0, MAX_NAME);
      if (sale) this.provisionalNames.delete(product); // write-offs say "damaged" where sales name the goods
    }
  }

  private consume({ products }: CountrySurvey, operation: Operation): void {
    this.operations += 1;
    for (const [sku, change] of operation.changes) if (change < 0) products.get(sku)!.outflow -= change;
  }
}
