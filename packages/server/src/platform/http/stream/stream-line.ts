import type { ServerMessage } from '@evenkeel/contract';

/** The way to one client. */
export interface StreamLine {
  send(message: ServerMessage): void;
  /** A message that was made ready before. */
  sendText(text: string): void;
  /** The client has not read what it was sent: what can wait should. */
  full(): boolean;
}
