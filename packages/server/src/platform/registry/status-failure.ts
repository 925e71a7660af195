import { AttemptFailure } from './network-failure.ts';
import { RegistryError } from './registry-client.ts';
import type { FetchAnswer } from './registry-fetch.ts';
import { parseRetryAfter } from './retry-after.ts';

/** What an answer other than 2xx, 304 and 404 means, and whether to try again. `who` begins the sentence. */
export function statusFailure(host: string, answer: FetchAnswer, who: string, now: number): AttemptFailure {
  const { status } = answer;
  const body = answer.body.subarray(0, 4096).toString('utf8');
  const wait = parseRetryAfter(answer.header('retry-after'), body, now);
  if (status === 429) {
    const options = wait === undefined ? {} : { retryAfterSeconds: Math.ceil(wait / 1000) };
    const error = new RegistryError('busy', host, `${who} limits the number of requests (429).`, options);
    return new AttemptFailure(error, { retry: true, wait, throttled: true });
  }
  if (status === 401 || status === 403) {
    return new AttemptFailure(new RegistryError('denied', host, `${who} refuses access (${status}).`));
  }
  if (status >= 500) {
    const retry = status === 502 || status === 503 || status === 504;
    return new AttemptFailure(new RegistryError('sick', host, `${who} is out of order (${status}).`), { retry, wait });
  }
  return new AttemptFailure(
    new RegistryError('broken', host, `${who} gave an answer that makes no sense here (${status}).`),
  );
}
