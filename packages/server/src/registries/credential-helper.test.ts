import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCredentialHelpers } from './credential-helper.ts';

let folder: string;
let now: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'evenkeel-helpers-'));
  now = 1_000_000;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A program of that name in the folder; what reaches it is appended to a file. */
function program(name: string, lines: string): void {
  const file = join(folder, `docker-credential-${name}`);
  writeFileSync(
    file,
    `#!/bin/sh\nread server\nprintf '%s %s\\n' "$*" "$server" >> "${join(folder, 'calls')}"\n${lines}\n`,
  );
  chmodSync(file, 0o755);
}
const calls = () =>
  existsSync(join(folder, 'calls')) ? readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n') : [];
const make = (limitMilliseconds = 20_000) =>
  createCredentialHelpers({ now: () => now, searchPath: `/nowhere:${folder}`, limitMilliseconds });
const answer = `echo '{"ServerURL":"x","Username":"keeper","Secret":"s\\u00e9cret:1"}'`;

describe('a credential helper', () => {
  it('is asked on its standard input and gives name and password', async () => {
    program('vault-1', answer);
    expect(await make().get('vault-1', 'reg.example:5000')).toEqual({ username: 'keeper', password: 'sécret:1' });
    expect(calls()).toEqual(['get reg.example:5000']);
  });

  it('is asked once by all that wait, and again after a while', async () => {
    program('vault', answer);
    const helpers = make();
    await Promise.all([helpers.get('vault', 'a'), helpers.get('vault', 'a')]);
    await helpers.get('vault', 'a');
    expect(calls()).toHaveLength(1);
    now += 301_000;
    await helpers.get('vault', 'a');
    expect(calls()).toHaveLength(2);
  });

  it('that has nothing for a host is no problem', async () => {
    program('vault', 'echo "credentials not found in native keychain"; exit 1');
    const helpers = make();
    expect(await helpers.get('vault', 'a')).toBeUndefined();
    expect(helpers.problem('vault', 'a')).toBeUndefined();
  });

  it.each([
    ['fails', 'echo "no such secret: canary"; exit 3', 'ended with code 3'],
    ['gives something else', 'echo "canary"', 'no credentials'],
    ['gives half', `echo '{"Username":"u"}'`, 'no credentials'],
    ['gives an identity token', `echo '{"Username":"<token>","Secret":"canary"}'`, 'identity token'],
    ['talks without an end', 'while :; do echo canarycanarycanarycanarycanarycanarycanarycanary; done', 'more than'],
  ])('that %s is a problem with a sentence, and gives nothing away', async (_, lines, said) => {
    program('vault', lines);
    const helpers = make();
    expect(await helpers.get('vault', 'a')).toBeUndefined();
    expect(helpers.problem('vault', 'a')).toContain(said);
    expect(helpers.problem('vault', 'a')).not.toContain('canary');
  });

  it('that hangs is ended with everything that it has started', async () => {
    program('vault', `sleep 600 & echo $! > "${join(folder, 'child')}"; wait`);
    const helpers = make(1500);
    expect(await helpers.get('vault', 'a')).toBeUndefined();
    expect(helpers.problem('vault', 'a')).toContain('did not answer');
    const child = Number(readFileSync(join(folder, 'child'), 'utf8'));
    // A dead process that nobody has collected yet still has an entry, in state Z.
    const lives = () => existsSync(`/proc/${child}`) && !/\) Z /.test(readFileSync(`/proc/${child}/stat`, 'utf8'));
    await expect.poll(lives, { timeout: 20_000 }).toBe(false);
  });

  it('that is not installed is a problem', async () => {
    const helpers = make();
    expect(await helpers.get('desktop', 'a')).toBeUndefined();
    expect(helpers.problem('desktop', 'a')).toContain('not installed');
  });

  it.each(['../x', 'a/b', 'A', 'x;y', '', '-x y', 'desktop.exe'])('with the name "%s" is not run', async (name) => {
    const helpers = make();
    expect(await helpers.get(name, 'a')).toBeUndefined();
    expect(helpers.problem(name, 'a')).toContain('name');
  });
});
