import type { LogLevel } from '../platform/log/log.ts';
import type { Option, OptionName } from './options.ts';
import { options, variableOf } from './options.ts';

/** The configuration of one start: checked, complete and frozen. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly keyFile: string | undefined;
  /** As wished; without it the usual places are searched (`find-engine.ts`). */
  readonly engine: string | undefined;
  readonly dockerHost: string | undefined;
  readonly engineTls: {
    readonly folder: string | undefined;
    readonly ca: string | undefined;
    readonly cert: string | undefined;
    readonly key: string | undefined;
  };
  readonly engineAllowPlaintext: boolean;
  /** Where the TLS material for `DOCKER_HOST` is, in files called as Docker calls them; undefined when Docker would use none. */
  readonly dockerCertPath: string | undefined;
  readonly dockerConfig: string;
  readonly insecureRegistries: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly owner:
    | { readonly username: string; readonly email: string | undefined; readonly password: string }
    | undefined;
  readonly setupToken: string | undefined;
  readonly metricsToken: string | undefined;
  readonly logLevel: LogLevel;
  readonly homeDirectory: string;
  readonly runtimeDirectory: string | undefined;
}

/** What the outside gives a start. Reading a file that is missing throws. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly arguments: readonly string[];
  readonly readFile: (path: string) => string;
}

export type ConfigResult =
  | { readonly kind: 'config'; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

type Values = { -readonly [Name in OptionName]?: (typeof options)[Name] extends Option<infer T> ? T : never };

/** Flags win over variables, variables over their `_FILE` twins' contents, and everything wrong is said at once. */
export function readConfig(surroundings: Surroundings): ConfigResult {
  const problems: string[] = [];
  const flags = readFlags(surroundings.arguments, problems);
  if (flags === 'help') return { kind: 'help' };
  const values: Values = {};
  for (const name of Object.keys(options) as OptionName[]) {
    const given = flags.get(name) ?? fromEnvironment(options[name], surroundings, problems);
    if (given === undefined) continue;
    const parsed = options[name].parse(given.text);
    if ('wrong' in parsed)
      problems.push(`${given.source} ${parsed.wrong}${options[name].secret ? '' : `, not "${given.text}"`}`);
    else Object.assign(values, { [name]: parsed.value });
  }
  const owner = ownerOf(values, problems);
  if (problems.length > 0) return { kind: 'wrong', problems };
  return {
    kind: 'config',
    config: toConfig(values, owner, surroundings),
    warnings: unknownVariables(surroundings.environment),
  };
}

interface Given {
  readonly text: string;
  readonly source: string;
}

function readFlags(given: readonly string[], problems: string[]): Map<OptionName, Given> | 'help' {
  const found = new Map<OptionName, Given>();
  for (let index = 0; index < given.length; index += 1) {
    const argument = given[index] ?? '';
    if (argument === '--help' || argument === '-h') return 'help';
    const [, flag, inline] = /^--([a-z-]+)(?:=(.*))?$/s.exec(argument) ?? [];
    const name = (Object.keys(options) as OptionName[]).find(
      (candidate) => options[candidate].flag === flag && !options[candidate].secret,
    );
    if (flag === undefined || name === undefined) {
      problems.push(`${argument} is not an option; --help lists them${secretHint(flag)}`);
      continue;
    }
    const next = inline ?? given[index + 1];
    if (inline === undefined) index += 1;
    if (next === undefined) problems.push(`--${flag} needs a value: --${flag} <${options[name].value}>`);
    else found.set(name, { text: next, source: `--${flag}` });
  }
  return found;
}

function secretHint(flag: string | undefined): string {
  const secret = Object.values(options).find((option) => option.flag === flag && option.secret);
  return secret === undefined ? '' : `. It is a secret: set ${variableOf(secret)} or ${variableOf(secret)}_FILE`;
}

function fromEnvironment(
  option: Option,
  { environment, readFile }: Surroundings,
  problems: string[],
): Given | undefined {
  const variable = variableOf(option);
  const direct = environment[variable];
  const file = option.secret ? environment[`${variable}_FILE`] : undefined;
  if (direct !== undefined && file !== undefined)
    problems.push(`${variable} and ${variable}_FILE are both set; keep one`);
  if (direct !== undefined) return { text: direct, source: variable };
  if (file === undefined) return undefined;
  try {
    return { text: readFile(file).replace(/\r?\n$/, ''), source: `${variable}_FILE` };
  } catch (error) {
    problems.push(
      `${variable}_FILE names ${file}, which cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}

function ownerOf(values: Values, problems: string[]): Config['owner'] {
  const { ownerUsername, ownerEmail, ownerPassword } = values;
  if (ownerUsername === undefined && ownerPassword === undefined && ownerEmail === undefined) return undefined;
  if (ownerUsername === undefined || ownerPassword === undefined) {
    problems.push(
      'to create the owner, both EVENKEEL_OWNER_USERNAME and EVENKEEL_OWNER_PASSWORD (or EVENKEEL_OWNER_PASSWORD_FILE) must be set',
    );
    return undefined;
  }
  return { username: ownerUsername, email: ownerEmail, password: ownerPassword };
}

function toConfig(values: Values, owner: Config['owner'], { environment }: Surroundings): Config {
  const homeDirectory = environment['HOME'] ?? '/root';
  const dockerConfigFolder = environment['DOCKER_CONFIG'] ?? `${homeDirectory}/.docker`;
  return Object.freeze({
    host: values.host ?? '127.0.0.1',
    port: values.port ?? 8420,
    dataDir: values.dataDir ?? './data',
    keyFile: values.keyFile,
    engine: values.engine,
    dockerHost: environment['DOCKER_HOST'] === '' ? undefined : environment['DOCKER_HOST'],
    engineTls: {
      folder: values.engineCertPath,
      ca: values.engineTlsCa,
      cert: values.engineTlsCert,
      key: values.engineTlsKey,
    },
    engineAllowPlaintext: values.engineAllowPlaintext ?? false,
    dockerCertPath:
      environment['DOCKER_CERT_PATH'] || (environment['DOCKER_TLS_VERIFY'] ? dockerConfigFolder : undefined),
    dockerConfig: values.dockerConfig ?? `${dockerConfigFolder}/config.json`,
    insecureRegistries: values.insecureRegistries ?? [],
    allowedHosts: values.allowedHosts ?? [],
    trustedProxies: values.trustedProxies ?? [],
    owner,
    setupToken: values.setupToken,
    metricsToken: values.metricsToken,
    logLevel: values.logLevel ?? 'info',
    homeDirectory,
    runtimeDirectory: environment['XDG_RUNTIME_DIR'],
  });
}

/** A sentence for each `EVENKEEL_` variable that means nothing, with the nearest known name. Those of the test bed and of test runs are known. */
function unknownVariables(environment: Surroundings['environment']): string[] {
  const known = Object.values(options).flatMap((option) =>
    option.secret ? [variableOf(option), `${variableOf(option)}_FILE`] : [variableOf(option)],
  );
  return Object.keys(environment)
    .filter(
      (name) => name.startsWith('EVENKEEL_') && !known.includes(name) && !/^EVENKEEL_(TEST|CHAOS|DEMO)/.test(name),
    )
    .map((name) => {
      const [nearest] = known.toSorted((a, b) => distance(name, a) - distance(name, b));
      const hint =
        nearest !== undefined && distance(name, nearest) <= 4
          ? `; did you mean ${nearest}?`
          : '; --help lists the known ones';
      return `${name} is not a known variable and is ignored${hint}`;
    });
}

/** Edit distance (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
