import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CollectionDelta, LiveCollection } from './live-collection.ts';

interface Item {
  readonly key: string;
  readonly value: number;
}

function collection(history = 1000) {
  return new LiveCollection<Item>({ topic: 'items', keyOf: (item) => item.key, history });
}

describe('a live collection', () => {
  test('says nothing when a put changes nothing', () => {
    const items = collection();
    items.put({ key: 'a', value: 1 });
    const { position } = items;
    items.put({ key: 'a', value: 1 });
    items.remove('unknown');
    expect(items.position).toBe(position);
  });

  test('gives whoever was away what it missed, in order', () => {
    const items = collection();
    items.put({ key: 'a', value: 1 });
    const { position } = items;
    items.publish([{ key: 'b', value: 2 }], ['a']);
    expect(items.since(position)?.map((delta) => delta.changes)).toEqual([
      [
        { op: 'remove', key: 'a' },
        { op: 'put', key: 'b', item: { key: 'b', value: 2 } },
      ],
    ]);
    expect(items.since(items.position)).toEqual([]);
  });

  test('asks for a snapshot when the gap is too old, of another start, or nonsense', () => {
    const items = collection(2);
    const { position } = items;
    for (const value of [1, 2, 3]) items.put({ key: 'a', value });
    expect(items.since(position)).toBeUndefined();
    expect(items.since('other.2')).toBeUndefined();
    expect(items.since('nonsense')).toBeUndefined();
    expect(items.since(`${items.position.split('.')[0]}.99`)).toBeUndefined();
  });

  test('a copy that applies every delta equals the collection, whatever happens', () => {
    const change = fc.record({
      puts: fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), value: fc.integer({ min: 0, max: 3 }) })),
      removals: fc.array(fc.constantFrom('a', 'b', 'c', 'd')),
    });
    fc.assert(
      fc.property(fc.array(change), (changes) => {
        const items = collection();
        const copy = new Map<string, unknown>();
        const apply = (delta: CollectionDelta) => {
          for (const step of delta.changes) {
            if (step.op === 'put') copy.set(step.key, step.item);
            else copy.delete(step.key);
          }
        };
        const stop = items.subscribe(apply);
        for (const { puts, removals } of changes) items.publish(puts, removals);
        stop();
        expect(Object.fromEntries(copy)).toEqual(
          Object.fromEntries([...items.values()].map((item) => [item.key, item])),
        );
      }),
    );
  });
});
