import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { describeError } from '../fault.ts';

/** A data key: 256 bits, named by the beginning of its SHA-256. */
export interface DataKey {
  readonly id: string;
  readonly bytes: Buffer;
}

/** The keys of a key file, the present one first, or why there are none. */
export type KeyFile =
  | { readonly keys: readonly [DataKey, ...DataKey[]]; readonly problem?: undefined }
  | { readonly problem: string };

const prefix = 'evenkeel-key-1:';

/**
 * Reads a key file: one `evenkeel-key-1:<base64 of 32 bytes>` a line. The first line seals; further lines are earlier keys,
 * which still open what they have sealed.
 */
export function readKeyFile(file: string): KeyFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { problem: `the key file ${file} cannot be read (${describeError(error)})` };
  }
  const keys: DataKey[] = [];
  for (const line of text.split('\n').map((one) => one.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const bytes = line.startsWith(prefix) ? Buffer.from(line.slice(prefix.length), 'base64') : undefined;
    if (bytes?.length !== 32) return { problem: `the key file ${file} holds a line that is not a key` };
    keys.push(nameKey(bytes));
  }
  const [present, ...earlier] = keys;
  return present === undefined ? { problem: `the key file ${file} holds no key` } : { keys: [present, ...earlier] };
}

/** Creates a key file with one new key, readable by its owner only. Throws when the file exists. */
export function createKeyFile(file: string): void {
  const handle = openSync(file, 'wx', 0o600);
  try {
    writeSync(handle, `${prefix}${randomBytes(32).toString('base64')}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

export function nameKey(bytes: Buffer): DataKey {
  return { id: createHash('sha256').update(bytes).digest('hex').slice(0, 8), bytes };
}
