/** So many messages may come at once, and so many each second after that. */
export interface MessageBudget {
  readonly burst: number;
  readonly perSecond: number;
}

/** True for each message that is within the budget. */
export function createMessageBudget({ burst, perSecond }: MessageBudget, now: () => number): () => boolean {
  let left = burst;
  let last = now();
  return () => {
    const present = now();
    left = Math.min(burst, left + (Math.max(0, present - last) / 1000) * perSecond) - 1;
    last = present;
    return left >= 0;
  };
}
