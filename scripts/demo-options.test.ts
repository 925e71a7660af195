import { expect, test } from 'vitest';
import { readDemoOptions } from './demo-options.ts';

test('data, key and engine of the environment stay out of the demo, and it says so', () => {
  const environment = {
    PATH: '/bin',
    EVENKEEL_PORT: '8421',
    EVENKEEL_ENGINE: 'unix:///var/run/docker.sock',
    EVENKEEL_DATA_DIR: '/srv/evenkeel',
    EVENKEEL_KEY_FILE: '/srv/key',
  };
  expect(readDemoOptions(['--demo', '--log-level', 'debug'], environment)).toEqual({
    kind: 'good',
    options: ['--log-level', 'debug'],
    environment: { PATH: '/bin', EVENKEEL_PORT: '8421' },
    ignored: ['EVENKEEL_ENGINE', 'EVENKEEL_DATA_DIR', 'EVENKEEL_KEY_FILE'],
  });
});

test.each([
  ['--engine', 'unix:///var/run/docker.sock'],
  ['--data-dir=/srv/evenkeel', undefined],
  ['--key-file', '/srv/key'],
])('%s is refused with a sentence', (flag, value) => {
  const read = readDemoOptions(['--demo', flag, ...(value === undefined ? [] : [value])], {});
  expect(read).toMatchObject({ kind: 'wrong', sentence: expect.stringContaining(flag.replace(/=.*/, '')) });
});
