/**
 * Reads server-sent events (WHATWG HTML, 9.2.6) from texts that are cut anywhere: in a line, between CR and LF, in a
 * field. EventSource cannot send a credential, so the stream is read with fetch. `id` and `retry` are not used here.
 */
export interface ServerEvent {
  readonly name: string;
  readonly data: string;
}

/** A view is far smaller; a server that never ends an event does not fill the tab. */
const MOST_CHARACTERS = 32 * 1024 * 1024;

export class EventParser {
  private rest = '';
  private name = '';
  private data: string[] = [];
  private held = 0;
  private first = true;

  /** The events that this text completes. Throws RangeError on one that is too large. */
  push(text: string): ServerEvent[] {
    let all = this.rest + text;
    if (this.first && all !== '') {
      this.first = false;
      if (all.startsWith('\uFEFF')) all = all.slice(1);
    }
    const events: ServerEvent[] = [];
    let from = 0;
    for (const end of all.matchAll(/\r\n|\n|\r(?!$)/g)) {
      const event = this.line(all.slice(from, end.index));
      if (event) events.push(event);
      from = end.index + end[0].length;
    }
    this.rest = all.slice(from); // with a CR at the end, whose LF may follow
    if (this.rest.length + this.held > MOST_CHARACTERS) throw new RangeError('An event of the stream is too large.');
    return events;
  }

  private line(line: string): ServerEvent | undefined {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return undefined; // a comment: somebody is there
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.name = value;
    if (field === 'data') {
      this.data.push(value);
      this.held += value.length;
    }
    return undefined;
  }

  private dispatch(): ServerEvent | undefined {
    const event = { name: this.name || 'message', data: this.data.join('\n') };
    const any = this.data.length > 0;
    this.name = '';
    this.data = [];
    this.held = 0;
    return any ? event : undefined;
  }
}
