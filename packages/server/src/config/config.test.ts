import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { findEngine } from './find-engine.ts';
import { helpText, optionsReference } from './help.ts';
import { options, variableOf } from './options.ts';

function read(environment: Record<string, string>, ...given: string[]) {
  return readConfig({
    environment,
    arguments: given,
    readFile: (path) => {
      if (path === '/run/secrets/password') return 'from a file, with spaces \n';
      throw new Error('ENOENT: no such file');
    },
  });
}

function configOf(environment: Record<string, string>, ...given: string[]) {
  const result = read(environment, ...given);
  if (result.kind !== 'config') throw new Error(JSON.stringify(result));
  return result;
}

function problemsOf(environment: Record<string, string>, ...given: string[]): string {
  const result = read(environment, ...given);
  return result.kind === 'wrong' ? result.problems.join('\n') : result.kind;
}

describe('options', () => {
  test('defaults keep to the loopback', () => {
    const { config } = configOf({ HOME: '/home/me' });
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8420,
      dataDir: './data',
      dockerConfig: '/home/me/.docker/config.json',
      owner: undefined,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  test('a flag wins over its variable, written with a space or an equals sign', () => {
    expect(configOf({ EVENKEEL_PORT: '1' }, '--port', '2').config.port).toBe(2);
    expect(configOf({}, '--data-dir=/srv/evenkeel').config.dataDir).toBe('/srv/evenkeel');
  });

  test.each([
    [{ EVENKEEL_PORT: 'eighty' }, 'EVENKEEL_PORT must be a whole number from 0 to 65535, not "eighty"'],
    [{ EVENKEEL_PORT: '70000' }, 'EVENKEEL_PORT must be a whole number'],
    [{ EVENKEEL_ENGINE: 'docker' }, 'EVENKEEL_ENGINE must be unix:///path/to/docker.sock or tcp://host:port'],
    [{ EVENKEEL_LOG_LEVEL: 'loud' }, 'EVENKEEL_LOG_LEVEL must be one of'],
    [{ EVENKEEL_INSECURE_REGISTRIES: 'http://a' }, '"http://a" is not a host name with an optional port'],
    [{ EVENKEEL_ALLOWED_HOSTS: 'a:80' }, 'leave out scheme, port and path'],
    [
      { EVENKEEL_TRUSTED_PROXIES: 'proxy.lan' },
      '"proxy.lan" is not an address or network, such as 10.0.0.7 or 10.0.0.0/8',
    ],
    [{ EVENKEEL_TRUSTED_PROXIES: '10.0.0.0/33' }, '"10.0.0.0/33" is not an address or network'],
    [{ EVENKEEL_TRUSTED_PROXIES: '::1/129' }, 'is not an address or network'],
    [{ EVENKEEL_METRICS_TOKEN: 'short' }, 'EVENKEEL_METRICS_TOKEN must have 16 to 200 characters'],
    [{ EVENKEEL_SETUP_TOKEN: 'short' }, 'EVENKEEL_SETUP_TOKEN must have 16 to 200 characters'],
    [{ EVENKEEL_OWNER_USERNAME: 'anna' }, 'both EVENKEEL_OWNER_USERNAME and EVENKEEL_OWNER_PASSWORD'],
    [
      { EVENKEEL_OWNER_USERNAME: 'anna', EVENKEEL_OWNER_PASSWORD_FILE: '/none' },
      'EVENKEEL_OWNER_PASSWORD_FILE names /none, which cannot be read',
    ],
  ])('%j stops the start with a sentence', (environment, sentence) => {
    expect(problemsOf(environment)).toContain(sentence);
  });

  test('proxies are addresses and networks', () => {
    const given = '10.0.0.7, 172.16.0.0/12,::1,fd00::/8';
    expect(configOf({ EVENKEEL_TRUSTED_PROXIES: given }).config.trustedProxies).toEqual([
      '10.0.0.7',
      '172.16.0.0/12',
      '::1',
      'fd00::/8',
    ]);
  });

  test('a wrong secret is not repeated in the sentence', () => {
    expect(problemsOf({ EVENKEEL_SETUP_TOKEN: 'hush' })).not.toContain('hush');
  });

  test('all problems are said at once', () => {
    expect(problemsOf({ EVENKEEL_PORT: 'x', EVENKEEL_LOG_LEVEL: 'y' }, '--colour').split('\n')).toHaveLength(3);
  });

  test('a password in a flag is refused and the way to give it is named', () => {
    expect(problemsOf({}, '--owner-password=hunter2hunter2')).toContain('EVENKEEL_OWNER_PASSWORD_FILE');
  });

  test('the owner comes from variables, the password from a file without its last line break', () => {
    const { config } = configOf({
      EVENKEEL_OWNER_USERNAME: 'anna',
      EVENKEEL_OWNER_PASSWORD_FILE: '/run/secrets/password',
    });
    expect(config.owner).toEqual({ username: 'anna', email: undefined, password: 'from a file, with spaces ' });
  });

  test('an unknown variable is warned about with the nearest name', () => {
    expect(configOf({ EVENKEEL_PROT: '1' }).warnings).toEqual([
      'EVENKEEL_PROT is not a known variable and is ignored; did you mean EVENKEEL_PORT?',
    ]);
  });

  test('help and the reference name every option', () => {
    for (const option of Object.values(options)) {
      expect(helpText()).toContain(variableOf(option));
      expect(optionsReference()).toContain(variableOf(option));
    }
    expect(read({}, '--help').kind).toBe('help');
  });
});

describe('the engine', () => {
  const places = {
    engine: undefined,
    dockerHost: undefined,
    homeDirectory: '/home/me',
    runtimeDirectory: '/run/user/1000',
  };

  test('is the configured one, then DOCKER_HOST, then the first usual socket', () => {
    expect(findEngine({ ...places, engine: 'tcp://a:1', dockerHost: 'tcp://b:2' }, () => true).endpoint).toBe(
      'tcp://a:1',
    );
    expect(findEngine({ ...places, dockerHost: 'tcp://b:2' }, () => true).endpoint).toBe('tcp://b:2');
    expect(findEngine(places, (path) => path.startsWith('/run/user')).endpoint).toBe(
      'unix:///run/user/1000/docker.sock',
    );
  });

  test('when there is none, the places that were tried are known', () => {
    const search = findEngine(places, () => false);
    expect(search.endpoint).toBeUndefined();
    expect(search.tried).toContain('/var/run/docker.sock');
  });
});
