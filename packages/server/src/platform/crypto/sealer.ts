import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { describeError, Fault } from '../fault.ts';
import { createKeyFile, type DataKey, type KeyFile, readKeyFile } from './key-file.ts';

/**
 * Seals secrets for the database: AES-256-GCM (NIST SP 800-38D), a random 96-bit nonce each, the key's id in front.
 * `context` names the place, `<table>/<row>/<column>`; a sealed text that is moved to another place does not open.
 *
 * Locked: without its key it seals and opens nothing (`locked`), and never takes a new key by itself.
 */
export interface Sealer {
  seal(plain: string, context: string): string;
  /** Throws `locked` without the key that sealed it, and an error when the text or its place was changed. */
  open(sealed: string, context: string): string;
  /** The same secret under the present key; unchanged when it is that already. */
  rewrap(sealed: string, context: string): string;
  /** Id of the present key; undefined when locked. */
  readonly keyId: string | undefined;
  /** Why it is locked, as a sentence for people; undefined when it works. */
  readonly locked: string | undefined;
}

export interface SealerOptions {
  /** Path of the key file. It stands beside the database, not in it, and belongs in another backup than the database. */
  readonly keyFile: string;
  /** Create the key file when it is missing: right only together with a new database. Default true. */
  readonly create?: boolean;
  /** Id of the key that this database is sealed with, where it is known. Another key locks. */
  readonly expectedKeyId?: string | undefined;
}

const version = 'v1';

export function createSealer(options: SealerOptions): Sealer {
  const file = loadKeys(options);
  const problem = file.problem ?? mismatch(options, file);
  const keys = file.problem === undefined && problem === undefined ? file.keys : undefined;
  const locked =
    problem === undefined
      ? undefined
      : `The stored secrets are locked: ${problem}. Put the right key file back (EVENKEEL_KEY_FILE) and start again.`;

  function presentKey(): DataKey {
    if (keys === undefined) throw new Fault('locked', locked ?? 'The stored secrets are locked.');
    return keys[0];
  }

  function seal(plain: string, context: string): string {
    const key = presentKey();
    const nonce = randomBytes(12);
    const cipher = createCipheriv('aes-256-gcm', key.bytes, nonce);
    cipher.setAAD(associatedData(key.id, context));
    const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${version}.${key.id}.${nonce.toString('base64url')}.${body.toString('base64url')}`;
  }

  function open(sealed: string, context: string): string {
    const present = presentKey();
    const [form, keyId, nonce, body] = sealed.split('.');
    if (form !== version || keyId === undefined || nonce === undefined || body === undefined)
      throw new Error(`The sealed text at ${context} is damaged.`);
    const key = present.id === keyId ? present : keys?.find((one) => one.id === keyId);
    if (key === undefined)
      throw new Fault('locked', `The secret at ${context} was sealed with the key ${keyId}, which the key file lacks.`);
    const bytes = Buffer.from(body, 'base64url');
    try {
      const decipher = createDecipheriv('aes-256-gcm', key.bytes, Buffer.from(nonce, 'base64url'), {
        authTagLength: 16,
      });
      decipher.setAAD(associatedData(keyId, context));
      decipher.setAuthTag(bytes.subarray(-16));
      return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new Error(`The sealed text at ${context} was changed or moved from another place.`, { cause });
    }
  }

  return {
    seal,
    open,
    rewrap: (sealed, context) =>
      sealed.startsWith(`${version}.${presentKey().id}.`) ? sealed : seal(open(sealed, context), context),
    keyId: keys?.[0].id,
    locked,
  };
}

function associatedData(keyId: string, context: string): Buffer {
  return Buffer.from(`${version}\n${keyId}\n${context}`, 'utf8');
}

function loadKeys({ keyFile, create = true }: SealerOptions): KeyFile {
  if (!existsSync(keyFile)) {
    if (!create) return { problem: `the key file ${keyFile} is missing` };
    try {
      createKeyFile(keyFile);
    } catch (error) {
      return { problem: `the key file ${keyFile} cannot be created (${describeError(error)})` };
    }
  }
  return readKeyFile(keyFile);
}

function mismatch({ keyFile, expectedKeyId }: SealerOptions, file: KeyFile): string | undefined {
  if (file.problem !== undefined || expectedKeyId === undefined) return undefined;
  if (file.keys.some((key) => key.id === expectedKeyId)) return undefined;
  return `the key in ${keyFile} is not the one that this database was sealed with (${expectedKeyId})`;
}
