import { z } from 'zod';
import { UpdateLevel } from './updates.ts';

/** The settings that exist so far. All have defaults; a patch changes only what it names. */
export const Settings = z.object({
  checkEveryMinutes: z
    .int()
    .min(0)
    .max(43_200)
    .describe('Automatic check; 0 switches it off. Default 360, with jitter'),
  lookForTags: z
    .enum(['labelled', 'always'])
    .describe('Tag lists are asked for only where a label wants them, or always'),
  highestLevel: UpdateLevel.describe('Highest level proposed where no label says otherwise'),
  minimumAgeHours: z.int().min(0).max(8760).describe('A candidate must be known this long before it is proposed'),
  watchByDefault: z.boolean().describe('Containers without a label are watched'),
  keepImages: z.int().min(0).max(50).describe('Images kept per container for a later rollback'),
  gateSeconds: z.int().min(1).max(3600).describe('How long a new container without a health check must run'),
  parallelRuns: z.int().min(1).max(20).describe('Runs at a time per host'),
});
export type Settings = z.infer<typeof Settings>;
export const SettingsPatch = z.strictObject(Settings.shape).partial();
export type SettingsPatch = z.infer<typeof SettingsPatch>;
export const defaultSettings: Settings = {
  checkEveryMinutes: 360,
  lookForTags: 'labelled',
  highestLevel: 'major',
  minimumAgeHours: 0,
  watchByDefault: true,
  keepImages: 2,
  gateSeconds: 15,
  parallelRuns: 2,
};
