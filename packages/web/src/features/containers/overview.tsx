import type { Container, ContainerDetail } from '@evenkeel/contract';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { formatBytes, formatDuration, formatMoment, shortDigest } from '../../lib/format.ts';
import { useNow } from '../../lib/live.ts';
import { Facts, Mono, Section } from '../../ui/panel.tsx';

/** What a container is and how it runs. `detail` comes a moment later than the rest. */
export function Overview({ container, detail }: { container: Container; detail: ContainerDetail | undefined }) {
  const { t, i18n } = useTranslation();
  const now = useNow(5_000);
  const locale = i18n.language;
  const labels = Object.entries(container.labels).sort(([a], [b]) => a.localeCompare(b));
  const running = container.state === 'running' && container.startedAt;
  return (
    <div className="grid max-w-6xl items-start gap-4 lg:grid-cols-2">
      <Section title={t('detail.identity')}>
        <Facts
          rows={[
            [
              t('detail.image'),
              <Mono key="image" className="break-all">
                {container.image}
              </Mono>,
            ],
            [t('detail.imageId'), <Mono key="id">{shortDigest(container.imageId)}</Mono>],
            [t('detail.id'), <Mono key="cid">{container.id.slice(0, 12)}</Mono>],
            [t('detail.host'), container.host],
            [
              t('detail.stack'),
              container.stack ? (
                <Link
                  key="stack"
                  to="/containers"
                  search={{ q: container.stack }}
                  className="text-accent underline underline-offset-2"
                >
                  {container.stack}
                </Link>
              ) : null,
            ],
            [t('detail.service'), container.service],
            [t('detail.created'), formatMoment(container.createdAt, locale)],
          ]}
        />
      </Section>
      <Section title={t('detail.runtime')}>
        <Facts
          rows={[
            [t('containers.uptime'), running ? formatDuration(now - Date.parse(running)) : t('containers.uptimeNone')],
            [t('detail.started'), container.startedAt ? formatMoment(container.startedAt, locale) : null],
            [
              t('detail.finished'),
              !running && container.finishedAt ? formatMoment(container.finishedAt, locale) : null,
            ],
            [t('detail.restarts'), container.restartCount],
            [t('detail.policy'), container.restartPolicy],
            ...(detail
              ? ([
                  [
                    t('detail.entrypoint'),
                    detail.entrypoint.length === 0 ? null : (
                      <Mono key="e" className="break-all">
                        {detail.entrypoint.join(' ')}
                      </Mono>
                    ),
                  ],
                  [
                    t('detail.command'),
                    detail.command.length === 0 ? null : (
                      <Mono key="c" className="break-all">
                        {detail.command.join(' ')}
                      </Mono>
                    ),
                  ],
                  [t('detail.user'), detail.user],
                  [t('detail.workdir'), detail.workingDirectory],
                  [t('detail.hostname'), detail.hostname],
                  [t('detail.privileged'), detail.privileged ? t('detail.yes') : t('detail.no')],
                  [
                    t('detail.memory'),
                    detail.memoryLimitBytes === null
                      ? t('detail.unlimited')
                      : formatBytes(detail.memoryLimitBytes, locale),
                  ],
                ] as const)
              : []),
          ]}
        />
      </Section>
      <Section title={t('detail.network')}>
        <Facts
          rows={[
            [t('detail.networkMode'), detail?.networkMode],
            [
              t('detail.networks'),
              container.networks.length === 0
                ? null
                : container.networks.map((network) => (
                    <div key={network.name}>
                      {network.name} <Mono className="text-faint">{network.ip ?? ''}</Mono>
                    </div>
                  )),
            ],
            [
              t('detail.ports'),
              container.ports.length === 0
                ? t('detail.noPorts')
                : container.ports.map((port) => (
                    <Mono key={`${port.ip} ${port.publicPort} ${port.privatePort} ${port.protocol}`} className="block">
                      {port.publicPort === null ? '' : `${port.ip ?? ''}:${port.publicPort} → `}
                      {port.privatePort}/{port.protocol}
                    </Mono>
                  )),
            ],
          ]}
        />
      </Section>
      <Section title={t('detail.storage')}>
        {container.mounts.length === 0 ? <p className="text-sm text-muted">{t('detail.noMounts')}</p> : null}
        <ul className="flex flex-col gap-2">
          {container.mounts.map((mount) => (
            <li key={mount.target} className="text-sm">
              <Mono className="break-all">{mount.target}</Mono>
              <div className="text-xs break-all text-faint">
                {mount.type} {mount.source ?? ''} {mount.readOnly ? t('detail.readOnly') : ''}
              </div>
            </li>
          ))}
        </ul>
      </Section>
      {detail && detail.healthLog.length > 0 ? (
        <Section title={t('detail.health')}>
          <ul className="flex flex-col gap-2 text-sm">
            {detail.healthLog.map((probe) => (
              <li key={probe.at}>
                <div className="flex gap-3 text-xs">
                  <span className={probe.exitCode === 0 ? 'text-ok' : 'text-bad'}>
                    {t('detail.exitCode', { code: probe.exitCode })}
                  </span>
                  <span className="text-faint">{formatMoment(probe.at, locale)}</span>
                </div>
                <Mono className="break-all text-muted">{probe.output}</Mono>
              </li>
            ))}
          </ul>
        </Section>
      ) : null}
      <Section title={t('detail.labels')} note={labels.length}>
        {labels.length === 0 ? <p className="text-sm text-muted">{t('detail.noLabels')}</p> : null}
        <ul className="flex flex-col gap-1">
          {labels.map(([name, value]) => (
            <li key={name} className="font-mono text-xs break-all">
              <span className="text-faint">{name}=</span>
              {value}
            </li>
          ))}
        </ul>
      </Section>
    </div>
  );
}
