import { ConfirmVerb } from '../features/containers/confirm-verb.tsx';
import { RollbackDialog } from '../features/updates/rollback-dialog.tsx';
import { UpdateDialog } from '../features/updates/update-dialog.tsx';
import { ask, type Intent } from './intents.ts';

/** The dialog of what has been asked for. */
export function IntentDialogs({ intent }: { intent: Intent }) {
  const close = () => ask(null);
  if (intent.kind === 'update') return <UpdateDialog targets={intent.targets} onClose={close} />;
  if (intent.kind === 'rollback') return <RollbackDialog run={intent.run} onClose={close} />;
  return <ConfirmVerb verb={intent.kind} containers={intent.containers} onClose={close} />;
}
