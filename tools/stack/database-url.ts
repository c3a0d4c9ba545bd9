// Postgres URLs with other logins.

/** The URL without user and password: the processes log in with roles of their own. */
export function withoutLogin(url: string): string {
  return withLogin(url, '', '');
}

export function withLogin(url: string, user: string, password: string): string {
  const parsed = new URL(url);
  parsed.username = encodeURIComponent(user);
  parsed.password = encodeURIComponent(password);
  return parsed.toString();
}
