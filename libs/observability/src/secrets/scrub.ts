/**
 * The last look at a log line, as text: what the fields' names did not give away. It cuts out the secrets of the configuration
 * and everything that has the form of a credential: passwords in URLs, Authorization values, keys and tokens of ours, JWTs,
 * links to files, signatures of queries, fields of JSON that stands in a text.
 */
import { CENSOR, SECRET_NAMES } from './secret-fields';

/** What precedes is kept where it is a group. Bounded, so that no text makes them slow. */
const FORMS = [
  String.raw`(:\/\/[^\s\/?#@:"]{0,256}:)[^\s\/?#@"]{1,1024}(?=@)`,
  String.raw`(\b(?:Bearer|Basic) +)[\w.~+\/=-]{1,8192}`,
  String.raw`\b(?:sk|rt)_[\w-]{20,}`,
  String.raw`\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*`,
  String.raw`(\/v1\/files\/)[^\s"'\\<>]{1,8192}`,
  String.raw`([?&](?:X-Amz-(?:Signature|Credential|Security-Token)|(?:access_|refresh_)?token|key|api_key|signature|password|secret)=)[^&\s"'\\#]{1,8192}`,
  String.raw`(\\"(?:${SECRET_NAMES.join('|')})\\": ?\\")[^"\\]{0,8192}(?:\\\\(?:\\"|\\\\|[^"\\])[^"\\]{0,8192}){0,64}`,
];

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

export function scrubber(secrets: readonly string[]): (line: string) => string {
  const known = secrets.map(escaped);
  const pattern = new RegExp([...FORMS, ...known].join('|'), 'gi');
  const groups = FORMS.filter((form) => form.startsWith('(')).length;
  return (line) =>
    line.replace(pattern, (...found: unknown[]) => {
      const kept = found.slice(1, 1 + groups).find((group) => group !== undefined);
      return `${(kept as string | undefined) ?? ''}${CENSOR}`;
    });
}
