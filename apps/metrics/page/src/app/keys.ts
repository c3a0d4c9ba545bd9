/** `/` goes to the search of the page, Esc leaves it and then goes up. Every other key is the browser's. */
export interface KeyActions {
  readonly up: () => void;
  /** The page has no search of its own. */
  readonly search: () => void;
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLTextAreaElement ||
  target instanceof HTMLSelectElement ||
  (target instanceof HTMLInputElement && target.type !== 'radio');

export function listenToKeys({ up, search }: KeyActions): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return;
    const { target, key } = event;
    if (key === '/' && !typing(target)) {
      event.preventDefault();
      const box = document.querySelector<HTMLInputElement>('[data-search]');
      if (box) box.select();
      else search();
      box?.focus();
    }
    if (key !== 'Escape') return;
    if (!typing(target)) {
      up();
      return;
    }
    if (!(target instanceof HTMLInputElement) || !('search' in target.dataset)) return;
    event.preventDefault();
    if (target.value === '') {
      target.blur();
      return;
    }
    target.value = '';
    target.dispatchEvent(new Event('input', { bubbles: true }));
  });
}
