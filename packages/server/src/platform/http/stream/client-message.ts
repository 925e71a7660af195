import { ClientMessage, type ServerMessage } from '@evenkeel/contract';
import { problemsOf } from '../request-input.ts';

type Refusal = Extract<ServerMessage, { type: 'error' }>;

/** A message of a client, or the answer to one that is not of the protocol: with every wrong field, and what it was about. */
export function readMessage(text: string): ClientMessage | Refusal {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return refusal('The message is not JSON.', {});
  }
  const { data, error } = ClientMessage.safeParse(given);
  if (data !== undefined) return data;
  const fields = error.issues.flatMap((issue) => problemsOf('', issue)).slice(0, 20);
  const sentence = fields.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`)).join('; ');
  const subscription = subscriptionOf(given);
  return refusal(`${sentence}.`.slice(0, 1000), { fields, ...(subscription === undefined ? {} : { subscription }) });
}

function refusal(detail: string, more: Pick<Refusal, 'fields' | 'subscription'>): Refusal {
  return { type: 'error', code: 'bad_input', detail, ...more };
}

/** So that a client knows which of its subscriptions was refused. */
function subscriptionOf(given: unknown): string | undefined {
  if (typeof given !== 'object' || given === null || !('subscription' in given)) return undefined;
  return typeof given.subscription === 'string' ? given.subscription.slice(0, 64) : undefined;
}
