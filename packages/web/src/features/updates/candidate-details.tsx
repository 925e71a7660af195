import type { Candidate, ConfigChange, Update } from '@evenkeel/contract';
import { ExternalLink } from 'lucide-react';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { formatAgo, formatBytes, formatMoment, safeLink, shortDigest } from '../../lib/format.ts';
import { Callout, Facts, Mono } from '../../ui/panel.tsx';
import { LevelChip } from './update-chip.tsx';

/** What is in an update, as far as it is known: the version to choose, sizes, changes of the image, where it comes from. */
export function CandidateDetails({
  update,
  chosen,
  onChoose,
  now,
}: {
  update: Update;
  chosen: Candidate | undefined;
  onChoose: (id: string) => void;
  now: number;
}) {
  const { t, i18n } = useTranslation();
  const locale = i18n.language;
  const link = safeLink(chosen?.source);
  return (
    <div className="grid gap-x-8 gap-y-4 md:grid-cols-2">
      <div className="flex min-w-0 flex-col gap-4">
        {update.candidates.length > 1 ? <Choice update={update} chosen={chosen} onChoose={onChoose} /> : null}
        {chosen?.blocked ? (
          <Callout tone="warn" title={t('updates.blocked')}>
            {chosen.blocked.reason}
          </Callout>
        ) : null}
        <Facts
          rows={[
            [t('updates.reason'), update.reason],
            [t('updates.unread'), chosen?.unread ?? null],
            [
              t('updates.lastGood'),
              update.state === 'unknown' && update.lastGoodAt && update.lastGoodState
                ? t('updates.lastGoodText', {
                    state: t(`updateState.${update.lastGoodState}`),
                    ago: formatAgo(update.lastGoodAt, now, locale),
                  })
                : null,
            ],
            ...(chosen
              ? ([
                  [t('updates.firstSeen'), formatMoment(chosen.firstSeenAt, locale)],
                  [
                    t('updates.age'),
                    chosen.createdAt ? t('updates.published', { ago: formatAgo(chosen.createdAt, now, locale) }) : null,
                  ],
                  [t('updates.size'), sizeText(chosen, locale)],
                  [
                    t('plan.download'),
                    chosen.downloadBytes === null ? null : formatBytes(chosen.downloadBytes, locale),
                  ],
                  [
                    t('updates.layers'),
                    chosen.newLayers === null
                      ? null
                      : t('updates.layersText', { fresh: chosen.newLayers, shared: chosen.sharedLayers ?? 0 }),
                  ],
                  [t('updates.digest'), <Mono key="digest">{shortDigest(chosen.digest)}</Mono>],
                ] as const)
              : []),
            [
              t('updates.from'),
              <Mono key="running">
                {update.running.version ?? update.running.tag ?? ''}{' '}
                {shortDigest(update.running.digest ?? update.running.imageId)}
              </Mono>,
            ],
            [t('updates.platform'), update.running.platform],
            [
              t('updates.source'),
              link ? (
                <a
                  key="source"
                  href={link}
                  target="_blank"
                  rel="noopener noreferrer"
                  className="inline-flex max-w-full items-center gap-1 text-accent underline underline-offset-2"
                >
                  <span className="truncate">{link}</span>
                  <ExternalLink size={12} aria-hidden className="shrink-0" />
                </a>
              ) : null,
            ],
          ]}
        />
      </div>
      {chosen ? <Changes changes={chosen.configChanges} /> : null}
    </div>
  );
}

function Choice({
  update,
  chosen,
  onChoose,
}: {
  update: Update;
  chosen: Candidate | undefined;
  onChoose: (id: string) => void;
}) {
  const { t } = useTranslation();
  const group = useId();
  return (
    <fieldset>
      <legend className="mb-1 text-xs font-semibold text-muted">{t('updates.candidates')}</legend>
      <div className="flex flex-col gap-1">
        {update.candidates.map((candidate) => (
          <label key={candidate.id} className="flex items-center gap-2 text-sm">
            <input
              type="radio"
              name={group}
              checked={candidate.id === chosen?.id}
              disabled={candidate.blocked !== null}
              onChange={() => onChoose(candidate.id)}
              className="accent-accent-fill"
            />
            <Mono className="truncate">{candidate.tag}</Mono>
            <LevelChip level={candidate.level} />
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function Changes({ changes }: { changes: readonly ConfigChange[] }) {
  const { t } = useTranslation();
  return (
    <section className="min-w-0">
      <h3 className="mb-1 text-xs font-semibold text-muted">{t('updates.changes')}</h3>
      {changes.length === 0 ? <p className="text-sm text-muted">{t('updates.noChanges')}</p> : null}
      <ul className="flex flex-col gap-1.5">
        {changes.map((change) => (
          <li key={change.field} className="min-w-0 rounded-md border border-line bg-page px-2 py-1 text-xs">
            <div className="font-medium">{change.field}</div>
            <div className="flex flex-col font-mono">
              <span className="break-all text-faint">
                <span aria-hidden="true">− </span>
                {change.from ?? t('common.none')}
              </span>
              <span className="break-all text-text">
                <span aria-hidden="true">+ </span>
                {change.to ?? t('common.none')}
              </span>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** `54 MB (+2 MB)`, as far as both sizes are known. */
function sizeText({ sizeBytes, sizeDeltaBytes }: Candidate, locale: string): string | null {
  if (sizeBytes === null) return null;
  const size = formatBytes(sizeBytes, locale);
  if (!sizeDeltaBytes) return size;
  return `${size} (${sizeDeltaBytes > 0 ? '+' : '−'}${formatBytes(Math.abs(sizeDeltaBytes), locale)})`;
}
