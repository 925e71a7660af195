import { describe, expect, test } from 'vitest';
import { readConfig } from './config.ts';
import { engineAccess } from './engine-access.ts';

const pems: Readonly<Record<string, string>> = {
  '/certs/ca.pem': 'the ca',
  '/certs/cert.pem': 'the certificate',
  '/certs/key.pem': 'the key',
  '/only-ca/ca.pem': 'the ca',
  '/no-key/cert.pem': 'the certificate',
  '/home/me/.docker/ca.pem': "docker's ca",
};
const all = { ca: 'the ca', cert: 'the certificate', key: 'the key' };

function access(environment: Record<string, string>) {
  const result = readConfig({ environment: { HOME: '/home/me', ...environment }, arguments: [], readFile: () => '' });
  if (result.kind !== 'config') throw new Error(JSON.stringify(result));
  return engineAccess(result.config, {
    exists: (path) => path in pems,
    read: (path) => {
      const text = pems[path];
      if (text === undefined) throw new Error('ENOENT: no such file or directory');
      return text;
    },
  });
}

describe('an engine that cannot be reached as it is named', () => {
  test.each([
    [
      { DOCKER_HOST: 'ssh://me@server' },
      /^DOCKER_HOST is "ssh:\/\/me@server".* -L \S+ me@server" and set EVENKEEL_ENGINE=/,
    ],
    [{ DOCKER_HOST: 'fd://' }, /^DOCKER_HOST is "fd:\/\/".*Set EVENKEEL_ENGINE=unix:/],
    [{ DOCKER_HOST: 'npipe:////./pipe/docker_engine' }, /^DOCKER_HOST is "npipe:.*set EVENKEEL_ENGINE=unix:/],
    [
      { DOCKER_HOST: 'server:2375' },
      /^DOCKER_HOST is "server:2375", which is not an engine endpoint\..*EVENKEEL_ENGINE/,
    ],
    [{ DOCKER_HOST: 'tcp://' }, /^DOCKER_HOST is "tcp:\/\/", which names no host\./],
  ])('%j is refused with a sentence that names the variable and what to do', (environment, sentence) => {
    expect(access(environment)).toMatchObject({
      endpoint: environment.DOCKER_HOST,
      refusal: expect.stringMatching(sentence),
    });
  });

  test('does not show the password in it', () => {
    expect(JSON.stringify(access({ DOCKER_HOST: 'ssh://me:hunter2@server' }))).not.toContain('hunter2');
  });

  test('is not looked at when EVENKEEL_ENGINE names another one', () => {
    const environment = { DOCKER_HOST: 'ssh://me@server', EVENKEEL_ENGINE: 'unix:///run/docker.sock' };
    expect(access(environment)).toEqual({ endpoint: 'unix:///run/docker.sock', plaintext: false });
  });

  test('and is nowhere is told with the places that were tried', () => {
    expect(access({})).toMatchObject({ hint: expect.stringContaining('/var/run/docker.sock') });
  });
});

describe('an engine on another machine', () => {
  test.each([
    ['EVENKEEL_ENGINE', 'EVENKEEL_ENGINE_CERT_PATH'],
    ['DOCKER_HOST', 'DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH'],
  ])('is not spoken to in plain text: %s', (variable, remedy) => {
    for (const endpoint of [
      'tcp://10.0.0.7:2375',
      'http://engine.lan',
      'tcp://127.0.0.1.evil.example:2375',
      'tcp://127.1',
    ])
      expect(access({ [variable]: endpoint })).toEqual({
        endpoint,
        plaintext: false,
        refusal: expect.stringMatching(`^${variable} is ${endpoint}.*${remedy}.*EVENKEEL_ENGINE_ALLOW_PLAINTEXT=true`),
      });
  });

  test('is, when that was allowed in words, which is remembered', () => {
    const environment = { EVENKEEL_ENGINE: 'tcp://10.0.0.7:2375', EVENKEEL_ENGINE_ALLOW_PLAINTEXT: 'true' };
    expect(access(environment)).toEqual({ endpoint: 'tcp://10.0.0.7:2375', plaintext: true });
  });

  test.each(['tcp://127.0.0.1:2375', 'tcp://localhost:2375', 'tcp://[::1]:2375', 'https://engine.lan'])(
    'is not meant by %s',
    (endpoint) => {
      expect(access({ EVENKEEL_ENGINE: endpoint })).toEqual({ endpoint, plaintext: false });
    },
  );
});

describe('TLS material', () => {
  const remote = { EVENKEEL_ENGINE: 'tcp://engine.lan:2376' };

  test('comes from a folder, from single files that win over it, or from where Docker has it for DOCKER_HOST', () => {
    expect(access({ ...remote, EVENKEEL_ENGINE_CERT_PATH: '/certs' }).tls).toEqual(all);
    const single = { EVENKEEL_ENGINE_TLS_CA: '/home/me/.docker/ca.pem' };
    expect(access({ ...remote, ...single }).tls).toEqual({ ca: "docker's ca" });
    expect(access({ ...remote, ...single, EVENKEEL_ENGINE_CERT_PATH: '/certs' }).tls).toEqual({
      ...all,
      ca: "docker's ca",
    });
    const docker = { DOCKER_HOST: 'tcp://engine.lan:2376', DOCKER_TLS_VERIFY: '1' };
    expect(access({ ...docker, DOCKER_CERT_PATH: '/certs' }).tls).toEqual(all);
    expect(access(docker).tls).toEqual({ ca: "docker's ca" });
  });

  test("of Docker is not used for an engine that is not Docker's", () => {
    expect(access({ ...remote, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' }).refusal).toContain(
      'EVENKEEL_ENGINE_CERT_PATH',
    );
  });

  test.each([
    [
      { EVENKEEL_ENGINE_TLS_CA: '/none.pem' },
      /^EVENKEEL_ENGINE_TLS_CA names \/none\.pem, which cannot be read: ENOENT/,
    ],
    [{ EVENKEEL_ENGINE_CERT_PATH: '/nowhere' }, /^EVENKEEL_ENGINE_CERT_PATH is \/nowhere, where there is no ca\.pem/],
    [{ EVENKEEL_ENGINE_CERT_PATH: '/no-key' }, /^There is a certificate to show to the engine and no key with it\./],
  ])('%j is refused with a sentence', (environment, sentence) => {
    expect(access({ ...remote, ...environment }).refusal).toMatch(sentence);
  });

  test('without a certificate of ours only checks the engine', () => {
    expect(access({ ...remote, EVENKEEL_ENGINE_CERT_PATH: '/only-ca' }).tls).toEqual({ ca: 'the ca' });
  });
});
