import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fault } from '../fault.ts';
import { openMemoryStore } from '../store/store.ts';
import { knownKeyId, rememberKeyId, sealingKeyMigrations } from './key-store.ts';
import { createSealer } from './sealer.ts';

let folder: string;
let keyFile: string;
const place = 'registries/1/password';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-sealer-'));
  keyFile = join(folder, 'master.key');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('sealed texts', () => {
  test('open again, and never look the same twice', () => {
    const sealer = createSealer({ keyFile });
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (plain, context) => {
        const sealed = sealer.seal(plain, context);
        expect(sealer.open(sealed, context)).toBe(plain);
        expect(sealer.seal(plain, context)).not.toBe(sealed);
      }),
    );
  });

  test('do not open at another place', () => {
    const sealer = createSealer({ keyFile });
    const sealed = sealer.seal('secret', place);
    expect(() => sealer.open(sealed, 'registries/2/password')).toThrow(/changed or moved/);
  });

  test('do not open when any bit of them was flipped', () => {
    const sealer = createSealer({ keyFile });
    const [form, keyId, nonce, body = ''] = sealer.seal('secret', place).split('.');
    const bytes = Buffer.from(body, 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => sealer.open([form, keyId, nonce, flipped.toString('base64url')].join('.'), place)).toThrow();
    }
    for (const odd of ['', 'v1', `v1.${keyId}.${nonce}.`, `v2.${keyId}.${nonce}.${body}`])
      expect(() => sealer.open(odd, place)).toThrow();
  });
});

describe('the key file', () => {
  test('is made once, readable by its owner only, and kept', () => {
    const sealed = createSealer({ keyFile }).seal('secret', place);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(createSealer({ keyFile, create: false }).open(sealed, place)).toBe('secret');
  });

  test.each<[string, (file: string) => void]>([
    ['missing', (file) => rmSync(file)],
    ['empty', (file) => writeFileSync(file, '')],
    ['damaged', (file) => writeFileSync(file, 'evenkeel-key-1:AAAA\n')],
    ['another one', (file) => writeFileSync(file, `evenkeel-key-1:${Buffer.alloc(32, 9).toString('base64')}\n`)],
  ])('%s: everything is locked, with a sentence, and no new key is made', (_name, harm) => {
    const good = createSealer({ keyFile });
    const sealed = good.seal('secret', place);
    harm(keyFile);
    const before = contents();
    const locked = createSealer({ keyFile, create: false, expectedKeyId: good.keyId });
    expect(locked.locked).toMatch(/locked: .*Put the right key file back/);
    expect(locked.keyId).toBeUndefined();
    for (const use of [() => locked.seal('x', place), () => locked.open(sealed, place)]) {
      expect(use).toThrow(Fault);
      expect(use).toThrow(expect.objectContaining({ code: 'locked', status: 503 }));
    }
    expect(contents()).toBe(before);
  });

  test('with a new key in front, old secrets open and are sealed anew', () => {
    const old = createSealer({ keyFile });
    const sealed = old.seal('secret', place);
    const oldLine = readFileSync(keyFile, 'utf8');
    writeFileSync(keyFile, `evenkeel-key-1:${Buffer.alloc(32, 9).toString('base64')}\n${oldLine}`);
    const rotated = createSealer({ keyFile, create: false, expectedKeyId: old.keyId });
    expect(rotated.locked).toBeUndefined();
    const rewrapped = rotated.rewrap(sealed, place);
    expect(rewrapped).not.toBe(sealed);
    expect(rotated.rewrap(rewrapped, place)).toBe(rewrapped);
    writeFileSync(keyFile, readFileSync(keyFile, 'utf8').split('\n')[0] ?? '');
    const fresh = createSealer({ keyFile, create: false });
    expect(fresh.open(rewrapped, place)).toBe('secret');
    expect(() => fresh.open(sealed, place)).toThrow(expect.objectContaining({ code: 'locked' }));
  });

  test('its id is remembered beside what it has sealed', async () => {
    const store = await openMemoryStore(undefined, { migrations: sealingKeyMigrations, readOnly: false });
    expect(knownKeyId(store)).toBeUndefined();
    rememberKeyId(store, 'one');
    rememberKeyId(store, 'two');
    expect(knownKeyId(store)).toBe('two');
    await store.close();
  });

  function contents(): string | undefined {
    return statSync(keyFile, { throwIfNoEntry: false }) ? readFileSync(keyFile, 'utf8') : undefined;
  }
});
