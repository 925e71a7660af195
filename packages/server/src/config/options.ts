import { isIP } from 'node:net';
import { type LogLevel, logLevels } from '../platform/log/log.ts';

/** How the text of an option becomes a value. `undefined` never reaches it. */
export type Parse<T> = (text: string) => { readonly value: T } | { readonly wrong: string };

/** One option: the table below generates flags, environment variables, `--help`, validation and docs/reference/options.md. */
export interface Option<T = unknown> {
  /** Flag without dashes; the variable is `EVENKEEL_` and the same in capitals. */
  readonly flag: string;
  readonly value: string;
  readonly summary: string;
  readonly fallback: string;
  /** Secrets have a `_FILE` twin and never stand in a flag, where other users of the machine could read them. */
  readonly secret?: boolean;
  readonly parse: Parse<T>;
}

/** Every option of the server, in the order of `--help`. */
export const options = {
  host: option('host', 'address', 'Address to listen on. `0.0.0.0` lets others reach it', '127.0.0.1', text(255)),
  port: option('port', 'number', 'Port to listen on; 0 takes a free one', '8420', integer(0, 65_535)),
  dataDir: option('data-dir', 'folder', 'Folder of the database and the key', './data', text(4096)),
  keyFile: option(
    'key-file',
    'file',
    'Master key that seals stored secrets, if not in the data folder',
    '<data-dir>/master.key',
    text(4096),
  ),
  engine: option(
    'engine',
    'url',
    'Docker Engine: `unix:///path/docker.sock` or `tcp://host:port`. Then `DOCKER_HOST`, then the usual sockets',
    'found by itself',
    engineUrl,
  ),
  engineCertPath: option(
    'engine-cert-path',
    'folder',
    'TLS of a `tcp://` engine: a folder with `ca.pem`, `cert.pem` and `key.pem`, as `DOCKER_CERT_PATH` has for `DOCKER_HOST`',
    'none',
    text(4096),
  ),
  engineTlsCa: option('engine-tls-ca', 'file', 'The same file by file: who signed the engine', 'none', text(4096)),
  engineTlsCert: option('engine-tls-cert', 'file', 'The certificate that is shown to the engine', 'none', text(4096)),
  engineTlsKey: option('engine-tls-key', 'file', 'The key of that certificate', 'none', text(4096)),
  engineAllowPlaintext: option(
    'engine-allow-plaintext',
    'true|false',
    'Speaks to a `tcp://` engine beyond loopback without TLS: whoever shares the network can take over its host',
    'false',
    yesOrNo,
  ),
  dockerConfig: option(
    'docker-config',
    'file',
    'Docker configuration with registry credentials',
    '~/.docker/config.json',
    text(4096),
  ),
  insecureRegistries: option(
    'insecure-registries',
    'hosts',
    'Registry hosts that may be spoken to over plain HTTP, separated by commas',
    'none but loopback',
    registryHosts,
  ),
  allowedHosts: option(
    'allowed-hosts',
    'names',
    'Host names under which browsers reach the server, separated by commas',
    "loopback names, addresses and the machine's name",
    hostNames,
  ),
  trustedProxies: option(
    'trusted-proxies',
    'addresses',
    'Addresses or networks of reverse proxies whose `X-Forwarded-*` headers count, separated by commas',
    'none',
    networks,
  ),
  ownerUsername: option(
    'owner-username',
    'name',
    'Creates the owner at the first start, without the page',
    'none',
    text(64),
  ),
  ownerEmail: option('owner-email', 'address', 'E-mail address of that owner', 'none', text(254)),
  ownerPassword: option('owner-password', 'password', 'Password of that owner', 'none', text(512), true),
  setupToken: option(
    'setup-token',
    'token',
    'Token of the first-run page, instead of a printed one',
    'a new one at each start',
    token,
    true,
  ),
  metricsToken: option(
    'metrics-token',
    'token',
    'Token with which Prometheus reads `/metrics`. Without it only a session may',
    'none',
    bearerToken,
    true,
  ),
  logLevel: option('log-level', 'level', `One of ${logLevels.join(', ')}`, 'info', logLevel),
} as const;

export type OptionName = keyof typeof options;

function option<T>(
  flag: string,
  value: string,
  summary: string,
  fallback: string,
  parse: Parse<T>,
  secret = false,
): Option<T> {
  return { flag, value, summary, fallback, parse, secret };
}

/** `EVENKEEL_DATA_DIR` for `data-dir`. */
export function variableOf(option: Option): string {
  return `EVENKEEL_${option.flag.replaceAll('-', '_').toUpperCase()}`;
}

function text(longest: number): Parse<string> {
  return (given) => {
    if (given === '') return { wrong: 'must not be empty' };
    return given.length > longest ? { wrong: `must not be longer than ${longest} characters` } : { value: given };
  };
}

function integer(lowest: number, highest: number): Parse<number> {
  return (given) => {
    const value = Number(given);
    if (!/^\d+$/.test(given) || value < lowest || value > highest)
      return { wrong: `must be a whole number from ${lowest} to ${highest}` };
    return { value };
  };
}

function yesOrNo(given: string): { value: boolean } | { wrong: string } {
  return given === 'true' || given === 'false' ? { value: given === 'true' } : { wrong: 'must be true or false' };
}

function list(given: string): { value: readonly string[] } {
  return {
    value: given
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  };
}

function registryHosts(given: string): { value: readonly string[] } | { wrong: string } {
  const hosts = list(given).value;
  const odd = hosts.find((host) => !/^[a-zA-Z0-9.-]+(:\d{1,5})?$/.test(host));
  return odd === undefined
    ? { value: hosts }
    : { wrong: `"${odd}" is not a host name with an optional port, such as registry.lan:5000` };
}

function hostNames(given: string): { value: readonly string[] } | { wrong: string } {
  const names = list(given).value;
  const odd = names.find((name) => !/^[a-zA-Z0-9.-]+$/.test(name));
  return odd === undefined
    ? { value: names.map((name) => name.toLowerCase()) }
    : { wrong: `"${odd}" is not a host name; leave out scheme, port and path` };
}

function networks(given: string): { value: readonly string[] } | { wrong: string } {
  const all = list(given).value;
  const odd = all.find((one) => !isNetwork(one));
  return odd === undefined
    ? { value: all }
    : { wrong: `"${odd}" is not an address or network, such as 10.0.0.7 or 10.0.0.0/8` };
}

function isNetwork(text: string): boolean {
  const [, address = '', length] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && (length === undefined || Number(length) <= (version === 4 ? 32 : 128));
}

function engineUrl(given: string): { value: string } | { wrong: string } {
  if (/^unix:\/\/\/.+/.test(given)) return { value: given };
  if (/^\/.+/.test(given)) return { value: `unix://${given}` };
  if (/^(tcp|http|https):\/\/[^/\s]+\/?$/.test(given)) return { value: given.replace(/\/$/, '') };
  return { wrong: 'must be unix:///path/to/docker.sock or tcp://host:port' };
}

function token(given: string): { value: string } | { wrong: string } {
  return given.length < 16 || given.length > 200 ? { wrong: 'must have 16 to 200 characters' } : { value: given };
}

function bearerToken(given: string): { value: string } | { wrong: string } {
  const parsed = token(given);
  if ('wrong' in parsed || /^[\w.~+/=-]+$/.test(given)) return parsed;
  return { wrong: 'must have only letters, digits and . _ ~ + / = -' };
}

function logLevel(given: string): { value: LogLevel } | { wrong: string } {
  const level = logLevels.find((known) => known === given);
  return level === undefined ? { wrong: `must be one of ${logLevels.join(', ')}` } : { value: level };
}
