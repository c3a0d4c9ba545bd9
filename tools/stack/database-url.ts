// Postgres URLs with other logins. They may name several hosts, so URL cannot take them apart.

const LOGIN = /^(postgres(?:ql)?:\/\/)(?:[^@/]*@)?/;

/** The URL without user and password: the processes log in with roles of their own. */
export function withoutLogin(url: string): string {
  return url.replace(LOGIN, '$1');
}

export function withLogin(url: string, user: string, password: string): string {
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`;
  return url.replace(LOGIN, (_, scheme: string) => `${scheme}${login}`);
}

/** One URL for servers that share login and database. */
export function withHosts(url: string, ports: readonly number[]): string {
  const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',');
  return url.replace(/^(postgres(?:ql)?:\/\/(?:[^@/]*@)?)[^/?]+/, (_, head: string) => `${head}${hosts}`);
}
