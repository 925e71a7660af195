import type { CollectionTopic } from '@evenkeel/contract';
import type { StreamLine } from './stream-line.ts';
import type { Frame, Topic } from './stream-topic.ts';

/** The topics that one client reads. Whoever reads too slowly is skipped over, and gets what is missing in one piece later. */
export interface TopicSubscriptions {
  subscribe(topic: Topic, position: string | undefined): void;
  unsubscribe(topic: CollectionTopic): void;
  /** Brings what was skipped, as far as there is room. */
  catchUp(): void;
  close(): void;
}

interface Subscription {
  readonly topic: Topic;
  /** Up to where the client is complete; undefined before its first snapshot. */
  position: string | undefined;
  /** The client has missed something, or has had no answer yet. */
  lagging: boolean;
  stop: () => void;
}

export function createTopicSubscriptions(line: StreamLine): TopicSubscriptions {
  const subscriptions = new Map<CollectionTopic, Subscription>();

  function deliver(subscription: Subscription, frame: Frame): void {
    line.sendText(frame.text);
    subscription.position = frame.position;
  }

  function bring(subscription: Subscription): void {
    if (line.full()) {
      subscription.lagging = true;
      return;
    }
    subscription.lagging = false;
    const { topic, position } = subscription;
    const missing = position === undefined ? topic.snapshot() : topic.after(position);
    if (missing !== undefined) deliver(subscription, missing);
    else line.send({ type: 'delta', topic: topic.name, position: topic.position, changes: [] });
  }

  function unsubscribe(topic: CollectionTopic): void {
    subscriptions.get(topic)?.stop();
    subscriptions.delete(topic);
  }

  return {
    subscribe(topic, position) {
      unsubscribe(topic.name);
      const subscription: Subscription = { topic, position, lagging: false, stop: () => undefined };
      subscription.stop = topic.subscribe((frame) => {
        if (subscription.lagging) return;
        if (line.full()) subscription.lagging = true;
        else deliver(subscription, frame);
      });
      subscriptions.set(topic.name, subscription);
      bring(subscription);
    },
    unsubscribe,
    catchUp() {
      for (const subscription of subscriptions.values()) {
        if (line.full()) return;
        if (subscription.lagging) bring(subscription);
      }
    },
    close() {
      for (const subscription of subscriptions.values()) subscription.stop();
      subscriptions.clear();
    },
  };
}
