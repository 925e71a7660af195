import type { Session, User } from '@evenkeel/contract';
import { createContext, useContext, useSyncExternalStore } from 'react';
import { type Api, ApiError } from '../../lib/api.ts';

export type SessionState =
  | { readonly state: 'starting' }
  /** `reason`: what the server said; null where it says nothing at all. */
  | { readonly state: 'unreachable'; readonly reason: string | null }
  | { readonly state: 'setup' }
  | { readonly state: 'signed-out'; readonly loggedOut: boolean }
  | { readonly state: 'signed-in'; readonly user: User };

export interface SessionStore {
  getSnapshot(): SessionState;
  subscribe(listener: () => void): () => void;
  /** Finds out who is there: renews by cookie, else asks whether the first run is still to be done. Retries by itself. */
  start(): Promise<void>;
  /** A log-in or set-up has succeeded. */
  entered(session: Session): void;
  /** The server no longer knows this session. */
  expired(): void;
  logOut(): Promise<void>;
}

const retryAfterMilliseconds = 3_000;

/** The one place that knows who is signed in. `onEnter` and `onLeave` start and stop what needs a session. */
export function createSessionStore(parts: { api: Api; onEnter: () => void; onLeave: () => void }): SessionStore {
  const listeners = new Set<() => void>();
  let current: SessionState = { state: 'starting' };

  function set(next: SessionState) {
    current = next;
    for (const listener of listeners) listener();
  }

  function entered(session: Session) {
    parts.api.adopt(session);
    set({ state: 'signed-in', user: session.user });
    parts.onEnter();
  }

  function left(loggedOut: boolean) {
    parts.api.adopt(null);
    parts.onLeave();
    set({ state: 'signed-out', loggedOut });
  }

  const store: SessionStore = {
    getSnapshot: () => current,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async start() {
      try {
        const { setupNeeded } = await parts.api.call('setupState');
        if (setupNeeded) {
          set({ state: 'setup' });
          return;
        }
        const session = await parts.api.refresh();
        if (session) entered(session);
        else set({ state: 'signed-out', loggedOut: false });
      } catch (cause) {
        if (!(cause instanceof ApiError)) throw cause;
        set({ state: 'unreachable', reason: cause.status === 0 ? null : cause.detail });
        setTimeout(() => store.start(), retryAfterMilliseconds);
      }
    },
    entered,
    expired() {
      if (current.state === 'signed-in') left(false);
    },
    async logOut() {
      try {
        await parts.api.call('logout');
      } finally {
        left(true);
      }
    },
  };
  return store;
}

export const SessionContext = createContext<SessionStore | null>(null);

export function useSessionStore(): SessionStore {
  const store = useContext(SessionContext);
  if (!store) throw new Error('No session around this component.');
  return store;
}

export function useSession(): SessionState {
  const store = useSessionStore();
  return useSyncExternalStore(store.subscribe, store.getSnapshot);
}
