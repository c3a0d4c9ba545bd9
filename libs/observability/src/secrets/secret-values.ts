/** The secrets that this process knows from its configuration, in every form in which they might come up in a text. */

const SECRET_NAME = /(?:PASSWORD|SECRET|SECRET_BEFORE|TOKEN|SECRET_ACCESS_KEY)$/;
/** Of a URL: what stands between the user and the host. */
const URL_PASSWORD = /:\/\/[^\s/?#@:]*:([^\s/?#@]+)@/g;
/** Shorter ones would be cut out of words that have nothing to do with them. */
const SHORTEST = 6;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** As it is, percent-encoded, and as it stands in JSON, also as a string within a string. */
function formsOf(secret: string): string[] {
  const quoted = JSON.stringify(secret).slice(1, -1);
  return [secret, encodeURIComponent(secret), quoted, JSON.stringify(quoted).slice(1, -1)];
}

function secretsIn(name: string, value: unknown): string[] {
  if (typeof value === 'string') {
    if (SECRET_NAME.test(name)) return [value];
    return [...value.matchAll(URL_PASSWORD)].flatMap(([, password]) => [password!, decoded(password!)]);
  }
  // The parsed headers of the collector: "Bearer x" is as secret as x.
  if (name === 'otlpHeaders')
    return Object.values(value as object).flatMap((text: string) => [text, ...text.split(' ')]);
  return [];
}

/** The longest first, so that none is found as a part of another. */
export function secretValues(config: object): string[] {
  const secrets = Object.entries(config).flatMap(([name, value]) => secretsIn(name, value));
  const forms = new Set(secrets.filter((secret) => secret.length >= SHORTEST).flatMap(formsOf));
  return [...forms].sort((one, other) => other.length - one.length);
}
