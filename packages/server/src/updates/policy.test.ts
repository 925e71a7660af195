import { defaultSettings } from '@evenkeel/contract';
import { describe, expect, it } from 'vitest';
import { createPolicyReader, isWithin } from './policy.ts';

const read = createPolicyReader();
const policy = (labels: Record<string, string>, settings: Partial<typeof defaultSettings> = {}) =>
  read(labels, { ...defaultSettings, ...settings });

describe('what is watched', () => {
  it.each([
    [{}, true],
    [{ 'evenkeel.watch': 'false' }, false],
    [{ 'com.centurylinklabs.watchtower.enable': 'false' }, false],
    [{ 'wud.watch': 'false' }, false],
    [{ 'diun.enable': 'false' }, false],
    [{ 'wud.watch': 'false', 'evenkeel.watch': 'true' }, true],
    [{ 'wud.watch': 'true', 'diun.enable': 'false' }, false],
    [{ 'com.centurylinklabs.watchtower.monitor-only': 'true' }, true],
    [{ 'com.centurylinklabs.watchtower.no-pull': 'true' }, false],
    [{ 'com.centurylinklabs.watchtower.no-pull': 'true', 'evenkeel.watch': 'true' }, true],
    [{ 'evenkeel.watch': 'perhaps' }, true],
  ])('%j: %s', (labels, watched) => {
    expect(policy(labels as Record<string, string>).watched).toBe(watched);
  });
  it('is only what is labelled where the setting says so', () => {
    const off = { watchByDefault: false };
    expect(policy({}, off).watched).toBe(false);
    for (const label of ['evenkeel.watch', 'com.centurylinklabs.watchtower.enable', 'wud.watch', 'diun.enable']) {
      expect(policy({ [label]: 'true' }, off).watched).toBe(true);
    }
    expect(policy({ 'com.centurylinklabs.watchtower.monitor-only': 'true' }, off).watched).toBe(false);
  });
});

describe('newer tags', () => {
  it('are looked for where a label or the setting wants them', () => {
    expect(policy({}).tags).toBe(false);
    expect(policy({}, { lookForTags: 'always' }).tags).toBe(true);
    expect(policy({ 'evenkeel.tags': 'false' }, { lookForTags: 'always' }).tags).toBe(false);
    for (const labels of [{ 'evenkeel.tags': 'true' }, { 'diun.watch_repo': 'true' }, { 'wud.tag.include': '.' }]) {
      expect(policy(labels as Record<string, string>).tags).toBe(true);
    }
  });
  it('are filtered as the tools of the labels filter', () => {
    expect(policy({ 'wud.tag.include': '^\\d+\\.\\d+$', 'wud.tag.exclude': '^9' }).accepts('1.2')).toBe(true);
    expect(policy({ 'wud.tag.include': '^\\d+\\.\\d+$', 'wud.tag.exclude': '^9' }).accepts('9.2')).toBe(false);
    const diun = policy({ 'diun.watch_repo': 'true', 'diun.include_tags': '^1\\.;^2\\.', 'diun.exclude_tags': 'rc' });
    expect(['1.0', '2.0', '3.0', '2.0-rc'].map(diun.accepts)).toEqual([true, true, false, false]);
    expect(policy({ 'evenkeel.tags.include': '^2', 'wud.tag.include': '^1' }).accepts('1.0')).toBe(false);
  });
  it('stay out, with the reason, where a pattern or level makes no sense', () => {
    for (const labels of [
      { 'evenkeel.tags.include': '(' },
      { 'wud.tag.include': '(?=x)' },
      { 'evenkeel.tags.exclude': 'x'.repeat(300) },
      { 'evenkeel.level': 'huge' },
    ]) {
      const found = policy({ 'evenkeel.tags': 'true', ...labels } as Record<string, string>);
      expect(found).toMatchObject({ tags: false, problem: expect.stringContaining('label') });
    }
  });
  it('are read as a label transforms them, ours before the other', () => {
    const wud = { 'wud.tag.transform': '^(?P<v>\\d+\\.\\d+)-(\\w+)$ => $1.0' };
    expect(policy(wud).parse('1.2-abc')).toMatchObject({ tag: '1.2-abc', numbers: [1n, 2n, 0n], suffix: '' });
    expect(policy(wud).parse('other-1.2')).toMatchObject({ numbers: [1n, 2n] });
    expect(policy({ ...wud, 'evenkeel.tags.transform': 'x => y' }).parse('1.2-abc')?.suffix).toBe('-abc');
    for (const text of ['(', '( => $1', 'a => b => c', '=> x']) {
      expect(policy({ 'evenkeel.tags': 'true', 'wud.tag.transform': text })).toMatchObject({
        tags: false,
        problem: expect.stringContaining('wud.tag.transform'),
      });
    }
  });
  it('are matched in linear time', () => {
    const { accepts } = policy({ 'evenkeel.tags.include': '(a+)+$' });
    expect(accepts(`${'a'.repeat(50_000)}!`)).toBe(false);
  });
  it('have a highest level', () => {
    expect(policy({}).level).toBe('major');
    expect(policy({ 'evenkeel.level': 'Minor' }).level).toBe('minor');
    expect(policy({}, { highestLevel: 'patch' }).level).toBe('patch');
  });
  it('of a prerelease are below those of a revision', () => {
    expect(isWithin('prerelease', 'revision')).toBe(true);
    expect(isWithin('revision', 'prerelease')).toBe(false);
    expect(isWithin('digest', 'prerelease')).toBe(true);
  });
});
