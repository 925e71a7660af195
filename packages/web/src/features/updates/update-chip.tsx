import type { Update, UpdateLevel } from '@evenkeel/contract';
import { useTranslation } from 'react-i18next';
import { classes } from '../../ui/classes.ts';
import { Mark, type Shape, type Tone } from '../../ui/mark.tsx';
import { bestCandidate, isPending } from './pending.ts';

const bars: Record<UpdateLevel, number> = { digest: 0, revision: 0, prerelease: 1, patch: 1, minor: 2, major: 3 };

/** How far the step is, as a word and as one to three bars; a diamond where only the image was built anew. */
export function LevelChip({ level, to }: { level: UpdateLevel; to?: string | null }) {
  const { t } = useTranslation();
  const height = bars[level];
  return (
    <span
      className={classes(
        'inline-flex h-5.5 max-w-full min-w-0 items-center gap-1.5 rounded border px-1.5 text-xs whitespace-nowrap text-accent',
        level === 'major' ? 'border-accent' : 'border-line-strong',
      )}
    >
      <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true" className="shrink-0">
        {height === 0 ? <path d="M5 1 9 5 5 9 1 5z" fill="none" stroke="currentColor" strokeWidth="1.4" /> : null}
        {[0, 1, 2].map((bar) =>
          height === 0 ? null : (
            <rect
              key={bar}
              x={bar * 3.5}
              y={6.5 - bar * 3}
              width="2.5"
              height={3.5 + bar * 3}
              fill="currentColor"
              opacity={bar < height ? 1 : 0.28}
            />
          ),
        )}
      </svg>
      {t(`level.${level}`)}
      {to ? <span className="truncate font-mono text-2xs text-text">{to}</span> : null}
    </span>
  );
}

const looks: Partial<Record<Update['state'], { shape: Shape; tone: Tone }>> = {
  'up-to-date': { shape: 'check', tone: 'quiet' },
  'index-only-change': { shape: 'check', tone: 'quiet' },
  unknown: { shape: 'triangle', tone: 'warn' },
  gone: { shape: 'cross', tone: 'bad' },
  'pinned-tag-moved': { shape: 'dash', tone: 'accent' },
};

/** The update state of one container, in one word. */
export function UpdateChip({ update }: { update: Update | undefined }) {
  const { t } = useTranslation();
  if (!update)
    return (
      <Mark shape="dash" tone="quiet">
        {t('updateState.notChecked')}
      </Mark>
    );
  if (update.checking)
    return (
      <Mark shape="turning" tone="quiet">
        {t('updateState.checking')}
      </Mark>
    );
  if (isPending(update)) {
    const best = bestCandidate(update);
    if (!best)
      return (
        <Mark shape="disc" tone="accent">
          {t(`updateState.${update.state}`)}
        </Mark>
      );
    return <LevelChip level={best.level} to={best.tag === update.running.tag ? null : best.tag} />;
  }
  if (!update.watched)
    return (
      <Mark shape="dash" tone="quiet">
        {t('updateState.unwatched')}
      </Mark>
    );
  if (update.state === 'unknown' && update.checkedAt === null && update.reason === null)
    return (
      <Mark shape="dash" tone="quiet">
        {t('updateState.notChecked')}
      </Mark>
    );
  return <Mark {...(looks[update.state] ?? { shape: 'dash', tone: 'quiet' })}>{t(`updateState.${update.state}`)}</Mark>;
}
