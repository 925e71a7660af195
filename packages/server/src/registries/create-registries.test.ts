import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../platform/clock.ts';
import { createSealer } from '../platform/crypto/sealer.ts';
import { openStore, type Store } from '../platform/store/store.ts';
import { createRegistries } from './create-registries.ts';
import { registriesMigrations } from './registries-store.ts';

let folder: string;
let store: Store;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-registries-'));
  store = await openStore(join(folder, 'db.sqlite'), { migrations: registriesMigrations });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function make(insecureHosts: string[] = []) {
  return createRegistries({
    store,
    sealer: createSealer({ keyFile: join(folder, 'key') }),
    clock: systemClock,
    log: pino({ level: 'silent' }),
    random: Math.random,
    insecureHosts,
    dockerConfigFile: join(folder, 'config.json'),
  });
}
const body = {
  host: 'Reg.example:5000',
  username: 'keeper',
  password: 'canary-4711',
  insecure: false,
  tokenHosts: ['Auth.example'],
};

describe('stored registries', () => {
  it('outlast a restart, with the password for pulls and never in clear in an answer or the database', () => {
    const added = make().add(body);
    expect(JSON.stringify(added)).not.toContain('canary');
    expect(added).toMatchObject({ host: 'reg.example:5000', passwordSet: true, tokenHosts: ['auth.example'] });
    const again = make();
    expect([...again.current().values()]).toHaveLength(1);
    expect(again.pullAuth('reg.example:5000')).toEqual({
      username: 'keeper',
      password: 'canary-4711',
      serveraddress: 'reg.example:5000',
    });
    expect(again.pullAuth('reg.example')).toBeUndefined();
    store.raw.pragma('wal_checkpoint(TRUNCATE)');
    expect(readFileSync(join(folder, 'db.sqlite'), 'latin1')).not.toContain('canary');
  });

  it('change only what is named', () => {
    const registries = make();
    const { id } = registries.add(body);
    expect(registries.change(id, { insecure: true })).toMatchObject({
      username: 'keeper',
      passwordSet: true,
      insecure: true,
    });
    expect(registries.change(id, { password: '' })).toMatchObject({ passwordSet: false });
    expect(registries.pullAuth('reg.example:5000')).toBeUndefined();
    registries.remove(id);
    expect(registries.current().size).toBe(0);
    expect(() => registries.remove(id)).toThrow(expect.objectContaining({ code: 'not_found' }));
  });

  it('stand once per host, whatever it is called', () => {
    const registries = make();
    registries.add({ ...body, host: 'index.docker.io' });
    expect(() => registries.add({ ...body, host: 'docker.io' })).toThrow(expect.objectContaining({ code: 'conflict' }));
    expect(registries.pullAuth('docker.io')?.serveraddress).toBe('https://index.docker.io/v1/');
  });

  it('refuse a certificate that is none', () => {
    expect(() => make().add({ ...body, caCertificate: 'nonsense' })).toThrow(
      expect.objectContaining({ code: 'bad_input' }),
    );
  });

  it('with a password of another key are shown, say so, and are asked without it', () => {
    make().add(body);
    rmSync(join(folder, 'key'));
    const registries = make();
    expect(registries.pullAuth('reg.example:5000')).toBeUndefined();
    expect([...registries.current().values()][0]?.health.reason).toContain('key file');
  });
});

describe('the docker configuration file', () => {
  const write = (value: unknown) =>
    writeFileSync(join(folder, 'config.json'), typeof value === 'string' ? value : JSON.stringify(value));
  const encoded = Buffer.from('robot:a:b').toString('base64');

  it('gives credentials by host', () => {
    write({ auths: { 'https://index.docker.io/v1/': { auth: encoded }, 'ghcr.io': { username: 'u', password: 'p' } } });
    const registries = make();
    expect(registries.pullAuth('docker.io')).toMatchObject({ username: 'robot', password: 'a:b' });
    expect(registries.pullAuth('ghcr.io')).toMatchObject({ username: 'u', password: 'p' });
    expect(registries.pullAuth('quay.io')).toBeUndefined();
  });

  it('stands behind a stored entry', () => {
    write({ auths: { 'reg.example:5000': { auth: encoded } } });
    const registries = make();
    expect(registries.pullAuth('reg.example:5000')?.username).toBe('robot');
    registries.add(body);
    expect(registries.pullAuth('reg.example:5000')?.username).toBe('keeper');
  });

  it('that is broken or missing is no credentials', () => {
    expect(make().pullAuth('docker.io')).toBeUndefined();
    write('{');
    expect(make().pullAuth('docker.io')).toBeUndefined();
  });

  it('with a credential helper is not enough, and the entry says so', () => {
    write({ auths: { 'reg.example:5000': {} }, credsStore: 'desktop' });
    const registries = make();
    registries.add({ host: 'reg.example:5000', insecure: false, tokenHosts: [] });
    expect([...registries.current().values()][0]?.health.reason).toContain('credential helper "desktop"');
  });
});
