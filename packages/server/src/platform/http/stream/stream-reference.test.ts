import { ClientMessage, collectionTopics, ServerMessage, streamCloseCodes } from '@evenkeel/contract';
import { expect, test } from 'vitest';
import { streamReference } from './stream-reference.ts';

test('the reference names every message, every field, every topic and every way to be closed', () => {
  const text = streamReference();
  for (const { shape } of [...ClientMessage.options, ...ServerMessage.options]) {
    expect(text).toContain(`### \`${shape.type.value}\``);
    for (const field of Object.keys(shape)) expect(text).toContain(`| \`${field}\` |`);
  }
  for (const topic of collectionTopics) expect(text).toContain(`\`${topic}\``);
  for (const { code, meaning } of Object.values(streamCloseCodes)) expect(text).toContain(`| ${code} | ${meaning} |`);
  expect(text).toContain('| `since` | string, date-time | no |');
  expect(text).toContain('| `tail` | integer, 0 to 10000 | no, 500 |');
  expect(text).toContain('| `state` | `following`, `replaced`, `ended`, `failed` | yes |');
  expect(text).not.toContain('undefined');
});
