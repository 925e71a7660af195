import type { Container } from '@evenkeel/contract';
import { useTranslation } from 'react-i18next';
import { Mark, type Shape, type Tone } from '../../ui/mark.tsx';

type Look = { shape: Shape; tone: Tone };

const looks: Record<Container['state'], Look> = {
  created: { shape: 'ring', tone: 'quiet' },
  running: { shape: 'disc', tone: 'ok' },
  paused: { shape: 'bars', tone: 'warn' },
  restarting: { shape: 'turning', tone: 'warn' },
  removing: { shape: 'dash', tone: 'quiet' },
  exited: { shape: 'square', tone: 'quiet' },
  dead: { shape: 'cross', tone: 'bad' },
};

const healthLooks: Record<'starting' | 'healthy' | 'unhealthy', Look> = {
  healthy: { shape: 'check', tone: 'ok' },
  starting: { shape: 'turning', tone: 'accent' },
  unhealthy: { shape: 'cross', tone: 'bad' },
};

/** Exit codes of a container that was asked to stop: 0, and death by SIGTERM or SIGKILL. */
const ordinaryExits: ReadonlySet<number | null> = new Set([0, 137, 143, null]);

/** The state of a container: one word, the health where there is one, and "last seen" where its host does not answer. */
export function StateMark({ container }: { container: Container }) {
  const { t } = useTranslation();
  const { state, health, exitCode } = container;
  const failed = state === 'exited' && !ordinaryExits.has(exitCode);
  const look: Look = failed ? { shape: 'cross', tone: 'bad' } : looks[state];
  const word = failed ? t('state.exitedWith', { code: exitCode }) : t(`state.${state}`);
  if (container.stale)
    return (
      <Mark shape="ring" tone="quiet">
        {t('state.stale')}: {word}
      </Mark>
    );
  if (state === 'running' && health !== 'none') return <Mark {...healthLooks[health]}>{t(`state.${health}`)}</Mark>;
  return <Mark {...look}>{word}</Mark>;
}
