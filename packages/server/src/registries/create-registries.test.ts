import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { createSealer } from '../platform/crypto/sealer.ts';
import { openStore, type Store } from '../platform/store/store.ts';
import { createRegistries, type RegistriesOptions } from './create-registries.ts';
import type { StoredRegistries } from './registries.ts';
import { createBlobsStore, registriesMigrations } from './registries-store.ts';

let folder: string;
let store: Store;
const open: StoredRegistries[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-registries-'));
  store = await openStore(join(folder, 'db.sqlite'), { migrations: registriesMigrations });
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function make(insecureHosts: string[] = [], more: Partial<RegistriesOptions> = {}) {
  const made = createRegistries({
    store,
    sealer: createSealer({ keyFile: join(folder, 'key') }),
    clock: systemClock,
    log: pino({ level: 'silent' }),
    random: Math.random,
    insecureHosts,
    dockerConfigFile: join(folder, 'config.json'),
    helperSearchPath: join(folder, 'bin'),
    ...more,
  });
  open.push(made);
  return made;
}
const body = {
  host: 'Reg.example:5000',
  username: 'keeper',
  password: 'canary-4711',
  insecure: false,
  tokenHosts: ['Auth.example'],
};

describe('stored registries', () => {
  it('outlast a restart, with the password for pulls and never in clear in an answer or the database', async () => {
    const added = make().add(body);
    expect(JSON.stringify(added)).not.toContain('canary');
    expect(added).toMatchObject({ host: 'reg.example:5000', passwordSet: true, tokenHosts: ['auth.example'] });
    const again = make();
    expect([...again.current().values()]).toHaveLength(1);
    expect(await again.pullAuth('reg.example:5000')).toEqual({
      username: 'keeper',
      password: 'canary-4711',
      serveraddress: 'reg.example:5000',
    });
    expect(await again.pullAuth('reg.example')).toBeUndefined();
    store.raw.pragma('wal_checkpoint(TRUNCATE)');
    expect(readFileSync(join(folder, 'db.sqlite'), 'latin1')).not.toContain('canary');
  });

  it('change only what is named', async () => {
    const registries = make();
    const { id } = registries.add(body);
    expect(registries.change(id, { insecure: true })).toMatchObject({
      username: 'keeper',
      passwordSet: true,
      insecure: true,
    });
    expect(registries.change(id, { password: '' })).toMatchObject({ passwordSet: false });
    expect(await registries.pullAuth('reg.example:5000')).toBeUndefined();
    registries.remove(id);
    expect(registries.current().size).toBe(0);
    expect(() => registries.remove(id)).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  it('need their password again for a new token host', async () => {
    const registries = make();
    const { id } = registries.add(body);
    expect(() => registries.change(id, { tokenHosts: ['auth.example', 'evil.example'] })).toThrow(
      expect.objectContaining({ code: 'bad_input', fields: [expect.objectContaining({ field: 'body.password' })] }),
    );
    expect([...registries.current().values()][0]?.tokenHosts).toEqual(['auth.example']);
    expect(registries.change(id, { tokenHosts: ['AUTH.example'] }).passwordSet).toBe(true);
    expect(registries.change(id, { tokenHosts: ['other.example'], password: 'new' }).tokenHosts).toEqual([
      'other.example',
    ]);
    expect(registries.change(id, { tokenHosts: [] })).toMatchObject({ tokenHosts: [], passwordSet: true });
    expect(registries.change(id, { tokenHosts: ['evil.example'], password: '' }).passwordSet).toBe(false);
  });

  it('stand once per host, whatever it is called', async () => {
    const registries = make();
    registries.add({ ...body, host: 'index.docker.io' });
    expect(() => registries.add({ ...body, host: 'docker.io' })).toThrow(expect.objectContaining({ code: 'conflict' }));
    expect((await registries.pullAuth('docker.io'))?.serveraddress).toBe('https://index.docker.io/v1/');
  });

  it('refuse a certificate that is none', async () => {
    expect(() => make().add({ ...body, caCertificate: 'nonsense' })).toThrow(
      expect.objectContaining({ code: 'bad_input' }),
    );
  });

  it('with a password of another key are shown, say so, and are asked without it', async () => {
    make().add(body);
    rmSync(join(folder, 'key'));
    const registries = make();
    expect(await registries.pullAuth('reg.example:5000')).toBeUndefined();
    expect([...registries.current().values()][0]?.health.reason).toContain('key file');
  });
});

describe('the docker configuration file', () => {
  const write = (value: unknown) =>
    writeFileSync(join(folder, 'config.json'), typeof value === 'string' ? value : JSON.stringify(value));
  const encoded = Buffer.from('robot:a:b').toString('base64');

  it('gives credentials by host', async () => {
    write({ auths: { 'https://index.docker.io/v1/': { auth: encoded }, 'ghcr.io': { username: 'u', password: 'p' } } });
    const registries = make();
    expect(await registries.pullAuth('docker.io')).toMatchObject({ username: 'robot', password: 'a:b' });
    expect(await registries.pullAuth('ghcr.io')).toMatchObject({ username: 'u', password: 'p' });
    expect(await registries.pullAuth('quay.io')).toBeUndefined();
  });

  it('stands behind a stored entry', async () => {
    write({ auths: { 'reg.example:5000': { auth: encoded } } });
    const registries = make();
    expect((await registries.pullAuth('reg.example:5000'))?.username).toBe('robot');
    registries.add(body);
    expect((await registries.pullAuth('reg.example:5000'))?.username).toBe('keeper');
  });

  it('that is broken or missing is no credentials', async () => {
    expect(await make().pullAuth('docker.io')).toBeUndefined();
    write('{');
    expect(await make().pullAuth('docker.io')).toBeUndefined();
  });

  it.each([
    [{ 'https://index.docker.io/v1/': 'good', 'https://index.docker.io/v1/access-token': 'bad' }],
    [{ 'https://index.docker.io/v1/refresh-token': 'bad', 'https://index.docker.io/v1/': 'good' }],
    [{ 'index.docker.io': 'good', 'https://index.docker.io/v2/': 'bad' }],
    [{ 'https://index.docker.io/v1/': 'good', 'docker.io': 'old' }],
    [{ 'docker.io': 'good', 'docker.io/library': 'bad' }],
  ])('of docker.io takes the one that docker takes: %j', async (names) => {
    const auths = Object.fromEntries(
      Object.entries(names).map(([name, user]) => [name, { auth: Buffer.from(`${user}:p`).toString('base64') }]),
    );
    write({ auths });
    expect((await make().pullAuth('docker.io'))?.username).toBe('good');
  });

  it('with tokens of a login on the web alone has no credentials for docker.io', async () => {
    write({ auths: { 'https://index.docker.io/v1/access-token': { auth: encoded } } });
    expect(await make().pullAuth('docker.io')).toBeUndefined();
  });

  describe('with a credential helper', () => {
    function helper(name: string, user: string): void {
      mkdirSync(join(folder, 'bin'), { recursive: true });
      const file = join(folder, 'bin', `docker-credential-${name}`);
      const said = `{"Username":"${user}","Secret":"for $server"}`;
      writeFileSync(file, `#!/bin/sh\nread server\necho "${said.replaceAll('"', '\\"')}"\n`);
      chmodSync(file, 0o755);
    }

    it('asks it for the host that it is named for, by the name that the file has', async () => {
      helper('ecr-login', 'AWS');
      helper('desktop', 'me');
      write({
        auths: { 'https://index.docker.io/v1/': {}, 'inline.example': { auth: encoded } },
        credHelpers: { 'aws.example': 'ecr-login' },
        credsStore: 'desktop',
      });
      const registries = make();
      expect(await registries.pullAuth('aws.example')).toMatchObject({ username: 'AWS', password: 'for aws.example' });
      expect(await registries.pullAuth('docker.io')).toMatchObject({
        username: 'me',
        password: 'for https://index.docker.io/v1/',
      });
      expect(await registries.pullAuth('other.example:5000')).toMatchObject({ password: 'for other.example:5000' });
      expect((await registries.pullAuth('inline.example'))?.username).toBe('robot');
    });

    it('that is not there says so where the host is shown and in the reason of a refusal', async () => {
      const refusing = createServer((_, response) =>
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
      );
      await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
      try {
        const host = `127.0.0.1:${(refusing.address() as AddressInfo).port}`;
        write({ auths: { [host]: {} }, credsStore: 'desktop' });
        const registries = make();
        const failure = registries.client.resolve({ host, path: 'a' }, '1');
        await expect(failure).rejects.toMatchObject({
          kind: 'denied',
          message: expect.stringContaining('credential helper "desktop", which is not installed'),
        });
        expect([...registries.current().values()]).toMatchObject([
          { host, stored: false, health: { state: 'denied', reason: expect.stringContaining('helper "desktop"') } },
        ]);
      } finally {
        refusing.closeAllConnections();
        refusing.close();
      }
    });
  });

  it('names its hosts, and others not', async () => {
    const quiet = createServer((_, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => quiet.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = quiet.address() as AddressInfo;
      const registries = make();
      const asked = () => registries.client.resolve({ host: `localhost:${port}`, path: 'a' }, '1');
      await expect(asked()).rejects.toThrow('loopback');
      write({ auths: { [`localhost:${port}`]: { auth: encoded } } });
      expect(await asked()).toBeUndefined();
      expect(await make(['localhost']).client.resolve({ host: `localhost:${port}`, path: 'a' }, '1')).toBeUndefined();
      const other = make(['localhost:1', '127.0.0.1', 'reg.example']);
      write('{}');
      await expect(other.client.resolve({ host: `localhost:${port}`, path: 'a' }, '1')).rejects.toThrow('loopback');
    } finally {
      quiet.closeAllConnections();
      quiet.close();
    }
  });
});

describe('hosts without an entry', () => {
  it('are shown with their limits once they were asked, and give way to an entry', async () => {
    const server = createServer((_, response) =>
      response
        .setHeader('ratelimit-remaining', '7;w=600')
        .setHeader('docker-content-digest', `sha256:${'0'.repeat(64)}`)
        .end(),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
      const registries = make(['127.0.0.1']);
      expect(registries.current().size).toBe(0);
      await registries.client.resolve({ host, path: 'a' }, '1');
      expect([...registries.current().values()]).toMatchObject([
        { host, stored: false, health: { state: 'ok', rateLimitRemaining: 7, requests: 1 } },
      ]);
      const [shown] = registries.current().values();
      expect(() => registries.change(shown?.id ?? '', { insecure: true })).toThrow(
        expect.objectContaining({ code: 'not_found' }),
      );
      const { id } = registries.add({ host, insecure: false, tokenHosts: [] });
      expect([...registries.current().values()]).toMatchObject([{ id, host, stored: true }]);
      registries.remove(id);
      expect([...registries.current().values()]).toMatchObject([{ host, stored: false }]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('plain HTTP to a host of the network', () => {
  it('ends with the permission of its entry, and the credentials stay here', async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      } else response.writeHead(404).end();
    });
    server.on('clientError', (_, socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const host = `reg.lan:${(server.address() as AddressInfo).port}`;
      const registries = make([], {
        lookup: (_, __, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
      });
      const { id } = registries.add({ ...body, host, insecure: true });
      expect(await registries.client.resolve({ host, path: 'a' }, '1')).toBeUndefined();
      expect(seen.at(-1)).toMatch(/^Basic /);
      registries.change(id, { insecure: false });
      seen.splice(0);
      await expect(registries.client.resolve({ host, path: 'a' }, '1')).rejects.toMatchObject({ kind: 'sick' });
      expect(seen).toEqual([]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('the documents that are kept', () => {
  it('stay within their room, the newest first, and none is too long', async () => {
    let now = 0;
    const blobs = createBlobsStore(store, () => now, { mostBytesEach: 1000, mostBytes: 8000 });
    for (let index = 0; index < 40; index += 1) {
      now += 1;
      await blobs.put(`sha256:${index}`, 'é'.repeat(400));
    }
    await blobs.put('sha256:long', 'x'.repeat(1001));
    const all = store.raw
      .prepare<[], { count: number; bytes: number }>(
        'SELECT COUNT(*) AS count, SUM(LENGTH(CAST(document AS BLOB))) AS bytes FROM registry_blobs',
      )
      .get();
    expect(all?.bytes).toBeLessThanOrEqual(8000);
    expect(all?.count).toBeGreaterThanOrEqual(7);
    expect(await blobs.get('sha256:39')).toBeDefined();
    expect(await blobs.get('sha256:0')).toBeUndefined();
    expect(await blobs.get('sha256:long')).toBeUndefined();
  });
});
