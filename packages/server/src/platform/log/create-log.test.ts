import { describe, expect, test } from 'vitest';
import { createLog } from './create-log.ts';

function written(write: (log: ReturnType<typeof createLog>) => void): string[] {
  const lines: string[] = [];
  write(createLog({ level: 'info', destination: { write: (line: string) => void lines.push(line) } }));
  return lines;
}

describe('the log', () => {
  test('is one object a line, whatever a name holds', () => {
    const name = 'web\n{"level":"fatal"}\u001b[31m\r';
    const lines = written((log) => log.info({ name, err: new Error(`no ${name}`) }, 'started'));
    expect(lines).toHaveLength(1);
    const [line = ''] = lines;
    expect(line.trimEnd()).not.toMatch(/[\p{Cc}]/u);
    expect(JSON.parse(line)).toMatchObject({ level: 'info', name, msg: 'started' });
  });

  test('cuts what is endless', () => {
    const [line = ''] = written((log) => log.info({ label: 'x'.repeat(1_000_000) }, 'seen'));
    expect(line.length).toBeLessThan(5000);
  });

  test.each([
    { password: 'canary' },
    { body: { currentPassword: 'canary' } },
    { request: { headers: { authorization: 'canary' } } },
    { headers: { cookie: 'canary', 'x-registry-auth': 'canary' } },
    { refreshToken: 'canary', session: { accessToken: 'canary' } },
  ])('keeps secrets out: %j', (fields) => {
    expect(written((log) => log.info(fields, 'asked')).join()).not.toContain('canary');
  });
});
