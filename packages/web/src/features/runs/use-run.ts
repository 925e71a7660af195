import type { Run } from '@evenkeel/contract';
import { useQuery } from '@tanstack/react-query';
import { useApi, useCollection } from '../../lib/live.ts';

/** One run: live where the stream holds it, else asked for once. */
export function useRun(id: string): { run: Run | undefined; error: Error | null } {
  const api = useApi();
  const runs = useCollection('runs');
  const live = runs.byKey.get(id);
  const asked = useQuery({
    queryKey: ['run', id],
    queryFn: ({ signal }) => api.call('getRun', { params: { id }, signal }),
    enabled: live === undefined,
  });
  return { run: live ?? asked.data, error: live ? null : asked.error };
}
