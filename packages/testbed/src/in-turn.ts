/**
 * Takes the steps one after the other, also when one fails, so that a clean-up does all that it can. At the end it throws
 * what went wrong: the one error, or an AggregateError.
 */
export async function inTurn(...steps: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, errors.map(String).join('\n'));
}
