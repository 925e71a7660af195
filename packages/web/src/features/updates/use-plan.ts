import type { Plan } from '@evenkeel/contract';
import { queryOptions } from '@tanstack/react-query';
import type { UpdateTarget } from '../../app/intents.ts';
import type { Api } from '../../lib/api.ts';

/** The plan of one update. Always asked anew: what is shown before a confirmation must be the present. */
export function planQuery(api: Api, target: UpdateTarget) {
  const { host, container, candidate } = target;
  return queryOptions<Plan>({
    queryKey: ['plan', host, container, candidate ?? null],
    queryFn: ({ signal }) =>
      api.call('planUpdate', { body: { host, container, ...(candidate ? { candidate } : {}) }, signal }),
    staleTime: 0,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });
}
