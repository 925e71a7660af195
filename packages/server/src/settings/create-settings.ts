import { defaultSettings, Settings, type SettingsPatch } from '@evenkeel/contract';
import { createListeners } from '../platform/listeners.ts';
import type { Log } from '../platform/log/log.ts';
import type { Store } from '../platform/store/store.ts';
import type { SettingsSource } from './settings.ts';
import { createSettingsStore } from './settings-store.ts';

/** The settings with the one way to change them. */
export interface ChangeableSettings extends SettingsSource {
  /** Changes what the patch names; durable before anybody sees it. Throws `read_only` and `disk_full`. */
  change(patch: SettingsPatch): Settings;
}

/** Reads the stored settings over the defaults. A stored value that no longer fits its schema is left out and logged. */
export function createSettings(parts: { store: Store; log: Log }): ChangeableSettings {
  const stored = createSettingsStore(parts.store);
  const listeners = createListeners<Settings>();
  let settings = load();

  function load(): Settings {
    const known: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(stored.load())) {
      const schema = Settings.shape[name as keyof Settings];
      if (schema === undefined) continue;
      if (schema.safeParse(value).success) known[name] = value;
      else parts.log.warn({ setting: name }, 'a stored setting does not fit any more; its default is used');
    }
    return { ...defaultSettings, ...known };
  }

  return {
    current: () => settings,
    onChange: listeners.add,
    change(patch) {
      parts.store.requireWritable('The settings cannot be changed');
      stored.save(patch);
      settings = { ...settings, ...withoutUndefined(patch) };
      listeners.tell(settings);
      return settings;
    },
  };
}

function withoutUndefined(patch: SettingsPatch): Partial<Settings> {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
}
