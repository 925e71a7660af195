import { describe, expect, test } from 'vitest';
import { mask, maskArguments, maskKnown, maskText, maskValue, secretsOf } from './masking.ts';

describe('a secret', () => {
  test.each([
    [
      ['redis-server', '--requirepass', 'hunter2', '--port', '6379'],
      ['redis-server', '--requirepass', mask, '--port', '6379'],
    ],
    [
      ['--password=hunter2', '--api-key', 'hunter2'],
      [`--password=${mask}`, '--api-key', mask],
    ],
    [
      ['--token', '--verbose'],
      ['--token', '--verbose'],
    ],
    [
      ['sh', '-c', 'exec redis-server --requirepass hunter2 --port 1'],
      ['sh', '-c', `exec redis-server --requirepass ${mask} --port 1`],
    ],
    [['-Djavax.net.ssl.keyStorePassword=hunter2'], [`-Djavax.net.ssl.keyStorePassword=${mask}`]],
    [['postgres://me:hunter2@db/x'], [`postgres://me:${mask}@db/x`]],
    [
      ['--auth-file', '/etc/auth', '--password-file', '/run/secrets/p'],
      ['--auth-file', '/etc/auth', '--password-file', '/run/secrets/p'],
    ],
    [
      ['nginx', '-g', 'daemon off;'],
      ['nginx', '-g', 'daemon off;'],
    ],
  ])('among the arguments %j is not shown', (given, shown) => {
    expect(maskArguments(given)).toEqual(shown);
  });

  test.each([
    ['curl -u x --token "a long one" http://h/', `curl -u x --token ${mask} http://h/`],
    ['{"token": "hunter2", "ok": true}', `{"token": ${mask}, "ok": true}`],
    ['Authorization: Bearer hunter2', `Authorization: ${mask}`],
    ['MYSQL_PWD=hunter2 mysqladmin ping', `MYSQL_PWD=${mask} mysqladmin ping`],
    ["password='hunter2' and more", `password=${mask} and more`],
    ['tried amqp://me:hunter2@mq and redis://:hunter2@r', `tried amqp://me:${mask}@mq and redis://:${mask}@r`],
    ['GET /auth/health 200', 'GET /auth/health 200'],
    ['token', 'token'],
    ['', ''],
  ])('in the text %j is not shown', (given, shown) => {
    expect(maskText(given)).toBe(shown);
  });

  test.each([
    ['traefik.http.middlewares.a.basicauth.users', 'me:$apr1$x', mask],
    ['org.opencontainers.image.authors', 'Anna', 'Anna'],
    ['traefik.http.services.a.loadbalancer.passhostheader', 'true', 'true'],
    ['DB_PASSWORD', 'hunter2', mask],
    ['DB_PASSWORD_FILE', '/run/secrets/db', '/run/secrets/db'],
    ['JAVA_OPTS', '-Xmx1g -Dapp.secret=hunter2', `-Xmx1g -Dapp.secret=${mask}`],
    ['EMPTY_TOKEN', '', ''],
    ['com.docker.compose.project', 'shop', 'shop'],
  ])('as the value of %s is not shown, and what is none is', (name, value, shown) => {
    expect(maskValue(name, value)).toBe(shown);
  });

  test('that the environment names is not shown anywhere else, unless it is too short to be one', () => {
    const secrets = secretsOf(['PATH=/bin', 'DB_PASSWORD=hunter2', 'PIN_TOKEN=1', 'NOVALUE']);
    expect(maskKnown('login failed for hunter2, 1 try', secrets)).toBe(`login failed for ${mask}, 1 try`);
  });
});

test('hostile text is masked in bounded time', () => {
  for (const part of ['token="', 'token ', 'a', 'a:', '//:', "secret='", 'password\t'])
    expect(maskText(part.repeat(200_000)).length).toBeGreaterThan(0);
});
