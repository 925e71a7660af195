export const mask = '••••';

/** Names whose values are not shown: of variables, labels, arguments, and fields in text. */
const secretName =
  /pass(?!ive|host|through)|pwd|secret|token|(?:api|private|access)[_-]?key|credential|auth(?!ors?(?![a-z]))|salt|dsn|cookie/i;
/** What only says where a secret is kept. */
const placeName = /[_.-](?:file|path|dir)$/i;

/** Whether the value of what has this name is masked. */
function isSecretName(name: string): boolean {
  return secretName.test(name) && !placeName.test(name);
}

/** The value of a variable or label. */
export function maskValue(name: string, value: string): string {
  return value !== '' && isSecretName(name) ? mask : maskText(value);
}

/** The arguments of a command; the value of `--token x` is an argument of its own. */
export function maskArguments(given: readonly string[]): string[] {
  return given.map((argument, index) => {
    const before = given[index - 1];
    const isValue = before !== undefined && /^--?[\w.-]+$/.test(before) && isSecretName(before);
    return isValue && argument !== '' && !argument.startsWith('-') ? mask : maskText(argument);
  });
}

const value = `((?:(?:bearer|basic)\\s)?(?:"[^"]{0,512}"|'[^']{0,512}'|[^\\s"',;&]+))`;
/** `NAME=x`, `name: x`, `"name": "x"`. */
const fieldValue = new RegExp(`(["']?\\s{0,8}[=:]\\s{0,8})${value}`, 'iy');
/** The same, and `--name x`. */
const optionValue = new RegExp(`(["']?\\s{0,8}[=:]\\s{0,8}|\\s{1,8}(?!-))${value}`, 'iy');
const urlPassword = /\b([a-z][a-z0-9+.-]{0,20}:\/\/[^:/@\s]{0,200}:)[^@/\s]{1,500}@/gi;

/**
 * Any text: passwords in URLs, and the values of what is named like a secret. The text may be a container's, so each character is looked
 * at a bounded number of times.
 */
export function maskText(text: string): string {
  let masked = '';
  let done = 0;
  for (const { 0: word, index } of text.matchAll(/[\w.-]+/g)) {
    if (index < done || !isSecretName(word)) continue;
    const end = index + word.length;
    const pattern = word.startsWith('-') ? optionValue : fieldValue;
    pattern.lastIndex = end;
    const found = pattern.exec(text);
    if (found === null) continue;
    const [whole, gap = ''] = found;
    masked += `${text.slice(done, end)}${gap}${mask}`;
    done = end + whole.length;
  }
  return (masked + text.slice(done)).replace(urlPassword, `$1${mask}@`);
}

const shortestKnownSecret = 6;

/** The values that the environment gives to secrets, so that they are found where nothing names them. */
export function secretsOf(environment: readonly string[]): string[] {
  return environment.flatMap((entry) => {
    const at = entry.indexOf('=');
    const secret = entry.slice(at + 1);
    return at > 0 && secret.length >= shortestKnownSecret && isSecretName(entry.slice(0, at)) ? [secret] : [];
  });
}

/** Puts the mask in the place of known secrets. */
export function maskKnown(text: string, secrets: readonly string[]): string {
  return secrets.reduce((masked, secret) => masked.replaceAll(secret, mask), text);
}
