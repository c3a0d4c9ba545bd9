/** Functions that run inside the page: each is sent as its text, so none may use anything from outside itself. */

interface Focus {
  readonly name: string;
  readonly visible: boolean;
  /** Nothing comes after it. */
  readonly last: boolean;
}

/** What has the focus, and whether one sees it. Marks it as reached. */
export function visiblyFocused(): Focus {
  const element = document.activeElement as HTMLElement;
  element.dataset.reached = '';
  const shown = element instanceof HTMLInputElement && element.type === 'radio' ? element.nextElementSibling! : element;
  const { outlineStyle, outlineWidth } = getComputedStyle(shown);
  const { top, bottom, width } = shown.getBoundingClientRect();
  const onScreen = width > 0 && bottom > 0 && top < innerHeight;
  const all = [...document.querySelectorAll('a[href], button, input, select, [tabindex="0"]')];
  return {
    name: `${element.tagName} ${element.textContent.trim() || element.className}`,
    visible: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && onScreen,
    last: element === all.at(-1),
  };
}

/** What one can use and visiblyFocused has not seen; of radio buttons one is enough, the arrow keys do the rest. */
export function unreached(): string[] {
  const all = [...document.querySelectorAll<HTMLElement>('a[href], button, input, select, [tabindex="0"]')];
  return all
    .filter((one) => !('reached' in one.dataset) && one.getClientRects().length > 0)
    .filter((one) => !(one instanceof HTMLInputElement && one.type === 'radio' && !one.checked))
    .map((one) => `${one.tagName} ${one.textContent.trim() || one.className}`);
}

/** Texts whose contrast is below AA (WCAG 2.2, 1.4.3): 4.5, or 3 where they are large. */
export function contrasts(): string[] {
  const channels = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([red, green, blue]: number[]): number => {
    const [r, g, b] = [red!, green!, blue!].map((channel) => {
      const part = channel / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  };
  const behind = (element: Element | null): number[] => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = new Set<string>();
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement!;
    if (node.textContent!.trim() === '' || element.closest('noscript, .hidden, option, .skip')) continue;
    if (element.getClientRects().length === 0) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const [a, b] = [luminance(channels(color)), luminance(behind(element))].sort((one, other) => other - one);
    const ratio = (a! + 0.05) / (b! + 0.05);
    const size = parseFloat(fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) found.add(`${element.className || element.tagName}: ${ratio.toFixed(2)}`);
  }
  return [...found];
}
