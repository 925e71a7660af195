import { expect, test } from 'vitest';
import { de } from './de.ts';
import { en } from './en.ts';

type Tree = { [key: string]: string | Tree };

/** Every text with its path. */
function textsOf(tree: Tree, path = ''): Map<string, string> {
  const texts = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    const here = path ? `${path}.${key}` : key;
    if (typeof value === 'string') texts.set(here, value);
    else for (const [below, text] of textsOf(value, here)) texts.set(below, text);
  }
  return texts;
}

const placeholders = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort();

test.each([['de', de]] as const)(
  '%s says everything that English says, with the same values in it',
  (_name, catalogue) => {
    const english = textsOf(en);
    const other = textsOf(catalogue);
    expect([...other.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [path, text] of english) {
      const translated = other.get(path) ?? '';
      expect(translated, path).not.toBe('');
      expect(placeholders(translated), path).toEqual(placeholders(text));
    }
  },
);
