import type { Settings, SettingsPatch } from '@evenkeel/contract';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../../lib/api.ts';
import { useApi } from '../../lib/live.ts';
import { SelectField, TextField } from '../../ui/field.tsx';
import { Section } from '../../ui/panel.tsx';
import { sentenceOf } from '../../ui/problem.tsx';
import { notify } from '../../ui/toasts.tsx';
import { SwitchField } from '../../ui/toggle.tsx';

const intervals = [0, 60, 180, 360, 720, 1440];
const levels = ['digest', 'revision', 'prerelease', 'patch', 'minor', 'major'] as const;

/** How updates are looked for and run. Each change is stored at once. */
export function UpdateSettings({ settings }: { settings: Settings }) {
  const { t } = useTranslation();
  const api = useApi();
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (patch: SettingsPatch) => api.call('changeSettings', { body: patch }),
    onSuccess: (next) => {
      queries.setQueryData(['settings'], next);
      notify({ kind: 'done', title: t('common.saved') });
    },
    onError: (error) => {
      if (!(error instanceof ApiError) || error.fields.length === 0)
        notify({ kind: 'failed', title: t('errors.title'), detail: sentenceOf(error) });
    },
  });
  const refused = change.error instanceof ApiError ? change.error : null;
  const intervalWord = (minutes: number) => {
    if (minutes === 0) return t('settings.checkOff');
    return minutes % 60 === 0
      ? t('settings.checkHours', { count: minutes / 60 })
      : t('settings.checkMinutes', { count: minutes });
  };
  const choices = intervals.includes(settings.checkEveryMinutes)
    ? intervals
    : [...intervals, settings.checkEveryMinutes].sort((a, b) => a - b);
  const figure = (name: 'minimumAgeHours' | 'keepImages' | 'gateSeconds' | 'parallelRuns') => ({
    value: settings[name],
    error: refused?.field(name),
    onCommit: (value: number) => change.mutate({ [name]: value }),
  });
  return (
    <>
      <Section title={t('settings.detection')}>
        <div className="flex flex-col gap-4">
          <SelectField
            label={t('settings.checkEveryMinutes')}
            value={settings.checkEveryMinutes}
            onChange={(event) => change.mutate({ checkEveryMinutes: Number(event.target.value) })}
          >
            {choices.map((minutes) => (
              <option key={minutes} value={minutes}>
                {intervalWord(minutes)}
              </option>
            ))}
          </SelectField>
          <SelectField
            label={t('settings.lookForTags')}
            hint={t('settings.lookHint')}
            value={settings.lookForTags}
            onChange={(event) => change.mutate({ lookForTags: event.target.value as Settings['lookForTags'] })}
          >
            <option value="labelled">{t('settings.lookLabelled')}</option>
            <option value="always">{t('settings.lookAlways')}</option>
          </SelectField>
          <SelectField
            label={t('settings.highestLevel')}
            value={settings.highestLevel}
            onChange={(event) => change.mutate({ highestLevel: event.target.value as Settings['highestLevel'] })}
          >
            {levels.map((level) => (
              <option key={level} value={level}>
                {t(`level.${level}`)}: {t(`levelText.${level}`)}
              </option>
            ))}
          </SelectField>
          <NumberField
            label={t('settings.minimumAgeHours')}
            hint={t('settings.minimumAgeHint')}
            {...figure('minimumAgeHours')}
          />
          <SwitchField
            label={t('settings.watchByDefault')}
            checked={settings.watchByDefault}
            onChange={(watchByDefault) => change.mutate({ watchByDefault })}
          />
        </div>
      </Section>
      <Section title={t('settings.running')}>
        <div className="flex flex-col gap-4">
          <NumberField label={t('settings.gateSeconds')} hint={t('settings.gateHint')} {...figure('gateSeconds')} />
          <NumberField label={t('settings.parallelRuns')} {...figure('parallelRuns')} />
          <NumberField label={t('settings.keepImages')} hint={t('settings.keepImagesHint')} {...figure('keepImages')} />
        </div>
      </Section>
    </>
  );
}

/** A figure that is stored when the field is left or Enter is pressed. */
function NumberField({
  value,
  onCommit,
  ...rest
}: {
  label: string;
  hint?: string;
  error?: string | undefined;
  value: number;
  onCommit: (value: number) => void;
}) {
  const [draft, setDraft] = useState<string | null>(null);
  function commit() {
    if (draft === null) return;
    const next = Number(draft);
    if (draft.trim() !== '' && Number.isFinite(next) && next !== value) onCommit(next);
    setDraft(null);
  }
  return (
    <TextField
      {...rest}
      inputMode="numeric"
      value={draft ?? String(value)}
      onChange={(event) => setDraft(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => (event.key === 'Enter' ? commit() : undefined)}
    />
  );
}
