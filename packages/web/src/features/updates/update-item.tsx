import type { Run, Update } from '@evenkeel/contract';
import { Link } from '@tanstack/react-router';
import { ChevronRight, SearchCheck } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ask } from '../../app/intents.ts';
import { formatAgo, formatBytes, splitImage } from '../../lib/format.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { classes } from '../../ui/classes.ts';
import { Checkbox } from '../../ui/toggle.tsx';
import { RunMark } from '../runs/run-mark.tsx';
import { CandidateDetails } from './candidate-details.tsx';
import { bestCandidate, isPending } from './pending.ts';
import { LevelChip, UpdateChip } from './update-chip.tsx';
import { useCheck } from './use-check.ts';
import { VersionStep } from './version-step.tsx';

/** One line of the inbox: what it is, from where to where, and what can be done; opens to what is in it. */
export function UpdateItem({
  update,
  run,
  selected,
  onSelect,
  open,
  onToggle,
  showHost,
  now,
}: {
  update: Update;
  /** The run that is at work on it. */
  run: Run | undefined;
  selected: boolean;
  onSelect: (selected: boolean) => void;
  open: boolean;
  onToggle: () => void;
  showHost: boolean;
  now: number;
}) {
  const { t, i18n } = useTranslation();
  const check = useCheck();
  const [wish, setWish] = useState<string | null>(null);
  const best = bestCandidate(update);
  const chosen = update.candidates.find(({ id }) => id === wish) ?? best;
  const pending = isPending(update);
  const locale = i18n.language;
  const facts = [
    chosen?.createdAt ? formatAgo(chosen.createdAt, now, locale) : null,
    chosen?.downloadBytes ? t('updates.downloadKnown', { size: formatBytes(chosen.downloadBytes, locale) }) : null,
    chosen && chosen.configChanges.length > 0
      ? t('updates.changesCount', { count: chosen.configChanges.length })
      : null,
  ].filter((fact) => fact !== null);

  return (
    <div className={`border-b border-line ${selected ? 'bg-accent-soft' : ''}`}>
      <div className="flex items-start gap-3 px-4 py-2 md:items-center md:px-6">
        <div className={pending ? 'pt-1.5 md:pt-0' : 'hidden'}>
          <Checkbox
            label={t('common.select', { name: update.name })}
            checked={selected}
            disabled={!pending}
            onChange={onSelect}
          />
        </div>
        <button
          type="button"
          aria-expanded={open}
          aria-label={
            open ? t('updates.hideDetails', { name: update.name }) : t('updates.showDetails', { name: update.name })
          }
          onClick={onToggle}
          className="grid size-7 shrink-0 place-items-center rounded-md text-muted hover:bg-hover hover:text-text"
        >
          <ChevronRight size={15} aria-hidden className={`transition-transform ${open ? 'rotate-90' : ''}`} />
        </button>
        <div
          className={classes(
            'grid min-w-0 flex-1 items-center gap-x-4 gap-y-1',
            pending
              ? 'md:grid-cols-[minmax(9rem,1.2fr)_minmax(11rem,1.4fr)_6.5rem_minmax(0,1.3fr)]'
              : 'md:grid-cols-[minmax(9rem,1.2fr)_minmax(5rem,0.7fr)_10.5rem_minmax(0,2.2fr)]',
          )}
        >
          <div className="min-w-0">
            <div className="flex min-w-0 items-baseline gap-2">
              <Link
                to="/containers/$host/$name"
                params={{ host: update.host, name: update.name }}
                className="truncate text-sm font-medium hover:underline"
              >
                {update.name}
              </Link>
              {showHost ? <span className="shrink-0 text-xs text-faint">{update.host}</span> : null}
            </div>
            <div className="truncate font-mono text-2xs text-faint" title={update.image}>
              {splitImage(update.image).name}
            </div>
          </div>
          <div className="flex min-w-0 flex-wrap items-center gap-x-3 gap-y-1 md:contents">
            {pending && chosen ? (
              <VersionStep
                from={{ ...update.running }}
                to={{ tag: chosen.tag, version: chosen.version, digest: chosen.digest }}
              />
            ) : (
              <span className="truncate font-mono text-xs text-muted">
                {update.running.tag ?? update.running.version ?? ''}
              </span>
            )}
            <div className="text-xs">
              {pending && chosen ? <LevelChip level={chosen.level} /> : <UpdateChip update={update} />}
            </div>
          </div>
          <div className="min-w-0 truncate text-xs text-faint" title={update.reason ?? undefined}>
            {pending ? facts.join(' · ') : (update.reason ?? best?.blocked?.reason)}
          </div>
        </div>
        {run ? (
          <span className="flex items-center justify-end gap-3 text-xs md:w-36">
            <RunMark run={run} />
            <Link to="/runs/$id" params={{ id: run.id }} className="text-accent underline underline-offset-2">
              {t('updates.watchRun')}
            </Link>
          </span>
        ) : (
          <span className={classes('flex shrink-0 items-center justify-end gap-1', pending && 'md:w-36')}>
            <IconButton
              label={`${t('updates.check')}: ${update.name}`}
              icon={SearchCheck}
              busy={update.checking}
              onClick={() => check.mutate([{ host: update.host, container: update.container }])}
              className="max-md:hidden"
            />
            {pending ? (
              <Button
                aria-label={`${t('updates.update')} ${update.name}`}
                onClick={() =>
                  ask({
                    kind: 'update',
                    targets: [
                      {
                        host: update.host,
                        container: update.container,
                        name: update.name,
                        ...(wish ? { candidate: wish } : {}),
                      },
                    ],
                  })
                }
              >
                {t('updates.update')}
              </Button>
            ) : null}
          </span>
        )}
      </div>
      {open ? (
        <div className="border-t border-line bg-surface px-4 py-4 md:pr-6 md:pl-[5.75rem]">
          <CandidateDetails update={update} chosen={chosen} onChoose={setWish} now={now} />
        </div>
      ) : null}
    </div>
  );
}
