import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { perFrame } from '../../lib/browser-socket.ts';
import { useServices } from '../../lib/live.ts';
import { createLogBuffer, type LogView } from './log-buffer.ts';

const tail = 500;
const olderAtOnce = 1_000;

export interface FollowedLog {
  view: LogView;
  /** Why it cannot be followed; null while it can. */
  failure: string | null;
  /** What stands above the oldest line. */
  top: 'more' | 'loading' | 'beginning';
  loadOlder: () => void;
}

/** Follows the output of a container by its name, so that the view goes on with the one that takes its place. */
export function useLog(host: string, name: string): FollowedLog {
  const { t } = useTranslation();
  const { api, stream } = useServices();
  const [buffer] = useState(() => createLogBuffer(perFrame));
  const [failure, setFailure] = useState<string | null>(null);
  const [top, setTop] = useState<FollowedLog['top']>('more');
  const loading = useRef(false);
  const view = useSyncExternalStore(buffer.subscribe, buffer.getSnapshot);

  useEffect(
    () =>
      stream.followLogs(
        { host, container: name, tail },
        {
          lines(lines, { skipped }) {
            if (skipped > 0) buffer.remark(t('logs.skipped', { count: skipped }));
            buffer.append(lines);
          },
          state(state, { reason }) {
            setFailure(state === 'failed' ? (reason ?? '') : null);
            if (state === 'replaced') buffer.remark(t('logs.replaced'));
            if (state === 'ended') buffer.remark(t('logs.ended'));
          },
        },
      ),
    [stream, buffer, host, name, t],
  );

  const loadOlder = useCallback(() => {
    const oldest = buffer.oldest();
    if (loading.current || oldest === undefined) return;
    loading.current = true;
    setTop('loading');
    api
      .call('containerLogs', { params: { host, container: name }, query: { until: oldest, tail: olderAtOnce } })
      .then(({ lines }) => {
        const older = lines.filter((line) => line.at < oldest);
        buffer.prepend(older);
        setTop(older.length === 0 ? 'beginning' : 'more');
      })
      .catch((error: Error) => {
        setFailure(error.message);
        setTop('more');
      })
      .finally(() => {
        loading.current = false;
      });
  }, [api, buffer, host, name]);

  return { view, failure, top, loadOlder };
}
