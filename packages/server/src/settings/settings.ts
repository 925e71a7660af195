import type { Settings } from '@evenkeel/contract';

/** The settings, read from memory; changes are durable before they are seen. */
export interface SettingsSource {
  current(): Settings;
  onChange(listener: (settings: Settings) => void): () => void;
}
