import type { LogLine } from '@evenkeel/contract';

export interface LogRingLimits {
  readonly lines: number;
  /** Characters of all lines together. */
  readonly characters: number;
}

/** The newest lines of a stream, as many as the limits let it keep. */
export class LogRing {
  readonly #limits: LogRingLimits;
  #lines: LogLine[] = [];
  /** Before it, lines have been let go and not yet removed. */
  #start = 0;
  #characters = 0;
  #whole = true;

  constructor(limits: LogRingLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#lines.length - this.#start;
  }

  /** True while every line that was ever pushed is here. */
  get whole(): boolean {
    return this.#whole;
  }

  push(lines: readonly LogLine[]): void {
    for (const line of lines) {
      this.#lines.push(line);
      this.#characters += line.text.length;
    }
    while (this.length > this.#limits.lines || (this.#characters > this.#limits.characters && this.length > 0)) {
      this.#characters -= this.#lines[this.#start]?.text.length ?? 0;
      this.#start += 1;
      this.#whole = false;
    }
    if (this.#start < this.#limits.lines) return;
    this.#lines = this.#lines.slice(this.#start);
    this.#start = 0;
  }

  /** The last so many, oldest first; all without a count. */
  last(count = this.length): LogLine[] {
    return this.#lines.slice(Math.max(this.#start, this.#lines.length - count));
  }
}
