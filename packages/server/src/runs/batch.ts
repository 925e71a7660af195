import type { Situation } from './observe.ts';

/** The order in which the runs of one request take their turns, as indexes: what others depend on comes first. Pure. */
export function inOrder(asked: readonly ({ situation: Situation } | { refusal: unknown })[]): number[] {
  const ordered: number[] = [];
  const visit = (index: number, path: readonly number[]): void => {
    if (ordered.includes(index) || path.includes(index)) return;
    const one = asked[index];
    if (one !== undefined && 'situation' in one) {
      for (const [other, candidate] of asked.entries()) {
        if (other === index || !('situation' in candidate)) continue;
        const dependsOnOther = candidate.situation.dependants.some(
          ({ container }) => container.Id === one.situation.container.Id,
        );
        if (dependsOnOther) visit(other, [...path, index]);
      }
    }
    ordered.push(index);
  };
  for (const index of asked.keys()) visit(index, []);
  return ordered;
}
