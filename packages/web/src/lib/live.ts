import type { CollectionTopic } from '@evenkeel/contract';
import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import type { Api } from './api.ts';
import type { CollectionView } from './collection.ts';
import type { Stream, StreamStatus, TopicItems } from './stream.ts';

/** What every page works with. Made once in `main.tsx`. */
export interface Services {
  api: Api;
  stream: Stream;
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (!services) throw new Error('No services around this component.');
  return services;
}

export function useApi(): Api {
  return useServices().api;
}

/** A live collection; renders again at most once per animation frame. */
export function useCollection<T extends CollectionTopic>(topic: T): CollectionView<TopicItems[T]> {
  const collection = useServices().stream.collection(topic);
  return useSyncExternalStore(collection.subscribe, collection.getSnapshot);
}

export function useStreamStatus(): StreamStatus {
  const { status } = useServices().stream;
  return useSyncExternalStore(status.subscribe, status.getSnapshot);
}

/** The time, renewed every `everyMilliseconds`: for ages and uptimes. */
export function useNow(everyMilliseconds: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMilliseconds);
    return () => clearInterval(timer);
  }, [everyMilliseconds]);
  return now;
}

/** Whether the page is as narrow as a phone. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      const query = matchMedia('(max-width: 51.99rem)');
      query.addEventListener('change', listener);
      return () => query.removeEventListener('change', listener);
    },
    () => matchMedia('(max-width: 51.99rem)').matches,
  );
}
