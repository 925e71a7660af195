/** A name and password for one registry host. */
export interface RegistryCredential {
  readonly username: string;
  readonly password: string;
}

/** What an administrator has said about a registry host. */
export interface RegistryTrust {
  /** Plain HTTP is allowed. */
  readonly insecure: boolean;
  /** PEM of a private certificate authority. */
  readonly ca: string | undefined;
  /** Other hosts, with port, that may be given the credentials as token service. */
  readonly tokenHosts: readonly string[];
}

/** Where the well-known registries have their token service; credentials may go there. */
const wellKnownTokenHosts: Readonly<Record<string, string>> = {
  'docker.io': 'auth.docker.io',
  'registry.gitlab.com': 'gitlab.com',
};

/**
 * The name under which a host is remembered, limited and given credentials. `lscr.io` is a front of `ghcr.io` and shares its
 * limits, so we ask `ghcr.io` itself.
 */
export function canonicalRegistry(host: string): string {
  const lower = host.toLowerCase();
  if (lower === 'index.docker.io' || lower === 'registry-1.docker.io') return 'docker.io';
  return lower === 'lscr.io' ? 'ghcr.io' : lower;
}

/** The host, with port, that is really contacted. */
export function endpointOf(host: string): string {
  return host === 'docker.io' ? 'registry-1.docker.io' : host;
}

/** True where the credentials of the registry may be shown to this token service. */
export function isTokenHost(host: string, realm: URL, trust: RegistryTrust): boolean {
  const allowed = [endpointOf(host), wellKnownTokenHosts[host] ?? '', ...trust.tokenHosts];
  return allowed.some((one) => one !== '' && sameHost(one, realm));
}

/** True where the URL leads to this host and port. */
export function sameHost(host: string, url: URL): boolean {
  return URL.canParse(`${url.protocol}//${host}`) && new URL(`${url.protocol}//${host}`).host === url.host;
}
