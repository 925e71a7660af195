import type { Socket } from './stream.ts';

/** A WebSocket to this origin. */
export function browserSocket(path: string): Socket {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  const socket = new WebSocket(`${scheme}://${location.host}${path}`);
  const wrapped: Socket = {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.close(),
    onopen: null,
    onmessage: null,
    onclose: null,
  };
  socket.onopen = () => wrapped.onopen?.();
  socket.onmessage = (event) => wrapped.onmessage?.(event);
  socket.onclose = () => wrapped.onclose?.();
  return wrapped;
}

/** Runs before the next paint; in a hidden tab, where frames stop, within a second. */
export function perFrame(flush: () => void): void {
  if (document.hidden) {
    setTimeout(flush, 1_000);
    return;
  }
  let done = false;
  const once = () => {
    if (done) return;
    done = true;
    flush();
  };
  requestAnimationFrame(once);
  setTimeout(once, 1_000);
}
