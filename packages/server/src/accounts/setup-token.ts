import type { Clock } from '../platform/clock.ts';
import { createToken, equalInConstantTime } from '../platform/crypto/tokens.ts';
import { Fault } from '../platform/fault.ts';

const windowMilliseconds = 15 * 60_000;

/** The one-time token of the first run, so that nobody else who reaches the port can claim the server. */
export interface SetupToken {
  /** What is printed at the start. */
  readonly token: string;
  /** Throws `setup_closed` 15 minutes after the start and `denied` for a wrong token. */
  require(given: string): void;
}

export function createSetupToken(clock: Clock, token: string = createToken()): SetupToken {
  const closesAt = clock.now() + windowMilliseconds;
  return {
    token,
    require: (given) => {
      if (clock.now() > closesAt) {
        throw new Fault(
          'setup_closed',
          'The first run was open for 15 minutes after the start. Restart Evenkeel and use the new token that it prints.',
        );
      }
      if (!equalInConstantTime(given, token)) {
        throw new Fault(
          'denied',
          'This is not the set-up token. The server prints it at its start; copy it from there.',
        );
      }
    },
  };
}
