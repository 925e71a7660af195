import { routes } from '@evenkeel/contract';
import type { Router } from '../platform/http/router.ts';
import type { ChangeableSettings } from './create-settings.ts';

export function registerSettingsRoutes(router: Router, settings: ChangeableSettings): void {
  router.handle(routes.getSettings, () => settings.current());
  router.handle(routes.changeSettings, ({ body }) => settings.change(body));
}
