import {
  images,
  moveTag,
  pushImage,
  sharedEngine,
  sharedRegistry,
  type TestEngine,
  type TestRegistry,
  uniqueName,
  waitFor,
} from '@evenkeel/testbed';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OpenPage, startBrowser, type TestBrowser } from './browser.ts';
import { type RunningServer, startServer } from './server.ts';

const password = 'four unrelated words here';
const hostile = '<img src=x onerror="window.pwned()"><script>window.pwned()</script>';

let engine: TestEngine;
let registry: TestRegistry;
let server: RunningServer;
let browser: TestBrowser;

/** Containers of this file: one that can be updated, one whose update fails, one whose every word is hostile. */
const web = uniqueName('web');
const doomed = uniqueName('doomed');
const evil = uniqueName('evil');

beforeAll(async () => {
  engine = await sharedEngine();
  registry = await sharedRegistry();
  const first = await images.healthy({ version: '1.0.0' });
  for (const name of [web, doomed]) await pushImage(registry, name, 'stable', first);
  const shout = await images.logsLines({ lines: 0, env: [`EVIL=${hostile}`] });
  await pushImage(registry, evil, 'stable', shout);

  await engine.docker('run', '-d', '--name', web, '--stop-timeout', '1', `${registry.host}/${web}:stable`);
  await engine.docker('run', '-d', '--name', doomed, '--stop-timeout', '1', `${registry.host}/${doomed}:stable`);
  const shouting = `while :; do echo '\u001b[31mred\u001b[0m ${hostile} \u001b]8;;javascript:window.pwned()\u001b\\\\link\u001b]8;;\u001b\\\\'; sleep 1; done`;
  await engine.docker(
    ...['run', '-d', '--name', evil, '--stop-timeout', '1', '--label', `com.docker.compose.project=${hostile}`],
    ...['--label', `evil=${hostile}`, '--entrypoint', '/bin/sh', `${registry.host}/${evil}:stable`, '-c', shouting],
  );

  // What there is to update to: one good image and one that never becomes healthy.
  await pushImage(registry, web, 'next', await images.healthy({ version: '1.1.0', env: ['ADDED=yes'] }));
  await moveTag(registry, web, 'stable', 'next');
  await pushImage(registry, doomed, 'next', await images.neverHealthy({ version: '2.0.0' }));
  await moveTag(registry, doomed, 'stable', 'next');

  server = await startServer({ engine: engine.url, insecureRegistries: registry.host });
  browser = await startBrowser(server.port);
}, 240_000);

afterAll(async () => {
  await browser?.close();
  await server?.stop();
  await engine?.cli('rm', '-f', '-v', web, doomed, evil);
  await registry?.stop();
  await engine?.stop();
}, 120_000);

/** The version that the running container of this name was made from. */
async function imageLabelOf(name: string): Promise<string> {
  const label = '{{index .Config.Labels "org.opencontainers.image.version"}}';
  return (await engine.docker('inspect', '-f', label, name)).trim();
}

async function logIn({ page }: OpenPage) {
  await page.goto(server.url);
  await page.getByLabel('Username or e-mail').fill('ada');
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Containers' }).waitFor();
}

describe('the main job in a browser', () => {
  test('from the first run to an update, and to one that is rolled back', async () => {
    const open = await browser.open('desktop');
    const { page } = open;

    await page.goto(server.url);
    await page.getByRole('heading', { name: 'Welcome aboard' }).waitFor();
    await open.expectAccessible('first run');
    await page.getByLabel('One-time token').fill('wrong-token');
    await page.getByLabel('Username').fill('ada');
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByLabel('Password again').fill('something else');
    await page.getByRole('button', { name: 'Create the owner' }).click();
    await page.getByText('The two passwords differ.').waitFor();
    await page.getByLabel('Password again').fill(password);
    await page.getByRole('button', { name: 'Create the owner' }).click();
    await page.getByRole('alert').first().waitFor();
    await page.getByLabel('One-time token').fill(server.setupToken);
    await page.getByRole('button', { name: 'Create the owner' }).click();

    // The live list: what runs is there, and what the docker CLI starts appears by itself.
    await page.getByRole('link', { name: web }).waitFor();
    const late = uniqueName('late');
    await engine.docker('create', '--name', late, `${registry.host}/${web}:stable`);
    await page.getByRole('link', { name: late }).waitFor();
    await engine.docker('rm', late);
    await page.getByRole('link', { name: late }).waitFor({ state: 'detached' });
    await open.expectAccessible('containers');

    // Check, and see what is newer.
    await page.getByRole('navigation').getByRole('link', { name: 'Updates' }).click();
    await page.getByRole('button', { name: 'Check all now' }).first().click();
    await page.getByRole('button', { name: `Update ${web}` }).waitFor();
    await page.getByRole('button', { name: `Update ${doomed}` }).waitFor();
    await page.getByRole('button', { name: `Details of ${web}` }).click();
    await page.getByText('env.ADDED').waitFor();
    await open.expectAccessible('updates');
    await page.getByRole('button', { name: /^Everything else/ }).click();
    await open.expectAccessible('everything else');
    await page.getByRole('button', { name: /^Pending/ }).click();

    // The plan, one confirmation, the steps.
    await page.getByRole('button', { name: `Update ${web}` }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Expected gap').waitFor();
    await open.expectAccessible('plan');
    await dialog.getByRole('button', { name: 'Update now' }).click();
    await page.getByRole('heading', { name: `Update of ${web}` }).waitFor();
    await page.getByRole('heading', { name: `${web} runs the new version` }).waitFor({ timeout: 90_000 });
    expect(await imageLabelOf(web)).toBe('1.1.0');
    await open.expectAccessible('a run that held');

    // One that fails: the old one is back, and the page says why.
    await page.getByRole('navigation').getByRole('link', { name: 'Updates' }).click();
    await page.getByRole('button', { name: `Update ${doomed}` }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Update now' }).click();
    await page
      .getByRole('heading', { name: `Rolled back: ${doomed} runs its old version` })
      .waitFor({ timeout: 90_000 });
    await page.getByRole('heading', { name: 'Reason' }).waitFor();
    expect(await imageLabelOf(doomed)).toBe('1.0.0');
    await open.expectAccessible('a run that was rolled back');
    await open.expectHarmless();
    await open.context.close();
  }, 400_000);

  test('hostile labels, environment and output stay text', async () => {
    const open = await browser.open('desktop');
    const { page } = open;
    await logIn(open);
    await page.getByRole('link', { name: evil }).click();
    await page.getByText(`evil=${hostile}`).waitFor();
    await open.expectAccessible('overview');
    await page.getByRole('tab', { name: 'Environment' }).click();
    await page.getByRole('cell', { name: hostile }).waitFor();
    await open.expectAccessible('environment');
    await page.getByRole('tab', { name: 'Logs' }).click();
    const log = page.getByRole('log');
    await log.getByText(hostile).first().waitFor();
    expect(await log.getByRole('link').count()).toBe(0);
    await page.getByRole('searchbox', { name: 'Search the logs' }).fill('onerror');
    await log.locator('mark').first().waitFor();
    await open.expectAccessible('logs');
    await open.expectHarmless();
    await open.context.close();
  }, 200_000);

  test('the log goes on with the container that takes the place of the old one', async () => {
    const open = await browser.open('desktop');
    const { page } = open;
    await logIn(open);
    await page.getByRole('link', { name: evil }).click();
    await page.getByRole('tab', { name: 'Logs' }).click();
    await page.getByRole('log').getByText('red').first().waitFor();
    await engine.docker('rm', '-f', evil);
    await engine.docker(
      ...[
        'run',
        '-d',
        '--name',
        evil,
        '--stop-timeout',
        '1',
        '--entrypoint',
        '/bin/sh',
        `${registry.host}/${evil}:stable`,
      ],
      ...['-c', 'while :; do echo successor speaks; sleep 1; done'],
    );
    await page.getByRole('log').getByText('successor speaks').first().waitFor();
    await open.expectHarmless();
    await open.context.close();
  }, 200_000);

  test('every other page on a desktop, the palette and the shortcuts', async () => {
    const open = await browser.open('desktop');
    const { page } = open;
    await logIn(open);
    for (const name of ['Activity', 'Hosts', 'Registries', 'Settings']) {
      await page.getByRole('navigation').getByRole('link', { name }).click();
      await page.getByRole('heading', { name, level: 1 }).waitFor();
      await open.expectAccessible(name);
    }
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await open.expectAccessible('shortcuts');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByPlaceholder('A page, a container, or what to do…').fill(`logs ${web}`);
    await page.getByRole('option', { name: `Logs of ${web}` }).waitFor();
    await open.expectAccessible('palette');
    await page.keyboard.press('Enter');
    await page.getByRole('tab', { name: 'Logs', selected: true }).waitFor();
    await page.getByRole('tab', { name: 'Update history' }).click();
    await page.getByRole('button', { name: 'Roll back' }).first().click();
    await page.getByRole('dialog').getByText('Expected gap').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Menu of ada' }).click();
    await page.getByRole('menuitem', { name: 'Log out' }).click();
    await page.getByText('You are logged out.').waitFor();
    await open.expectAccessible('log-in');
    await open.expectHarmless();
    await open.context.close();
  }, 300_000);

  test('a phone shows the same as cards, and does the same', async () => {
    const open = await browser.open('phone');
    const { page } = open;
    await logIn(open);
    await page.getByRole('link', { name: web }).waitFor();
    await open.expectAccessible('containers on a phone');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
    expect(wide).toBe(false);
    await page.getByRole('navigation').getByRole('link', { name: 'Updates' }).click();
    await page.getByRole('heading', { name: 'Updates' }).waitFor();
    await open.expectAccessible('updates on a phone');
    await page.getByRole('navigation').getByRole('link', { name: 'Activity' }).click();
    await page.getByRole('link', { name: 'Open the run' }).first().click();
    await page.getByRole('heading', { name: 'Steps' }).waitFor();
    await open.expectAccessible('a run on a phone');
    await page.getByRole('link', { name: 'Open the container' }).click();
    await page.getByRole('tab', { name: 'Overview', selected: true }).waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Start' }).click();
    await waitFor(
      async () => (await engine.docker('ps', '--filter', 'status=running', '--format', '{{.Names}}')).includes(doomed),
      { describe: `${doomed} to run again` },
    );
    await open.expectHarmless();
    await open.context.close();
  }, 300_000);
});
