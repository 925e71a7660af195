import { type Option, options, variableOf } from './options.ts';

/** The text of `--help`. */
export function helpText(): string {
  const rows = Object.values<Option>(options).map((option) => {
    const flag = option.secret ? '' : `--${option.flag} <${option.value}>`;
    const variable = option.secret ? `${variableOf(option)}, ${variableOf(option)}_FILE` : variableOf(option);
    return `  ${[flag, variable].filter((part) => part !== '').join(', ')}\n      ${option.summary}. Default: ${option.fallback}.`;
  });
  return [
    'Evenkeel: a control room for containers.',
    '',
    'Usage: ./start [--demo] [options]',
    '',
    ...rows,
    '',
    '  --help',
    '      This text.',
    '',
  ].join('\n');
}

/** docs/reference/options.md: the same table, for the web. */
export function optionsReference(): string {
  const rows = Object.values<Option>(options).map((option) => {
    const flag = option.secret ? '–' : `\`--${option.flag}\``;
    const variable = option.secret
      ? `\`${variableOf(option)}\`, \`${variableOf(option)}_FILE\``
      : `\`${variableOf(option)}\``;
    return `| ${flag} | ${variable} | ${option.value} | ${option.summary} | ${option.fallback} |`;
  });
  return [
    '# Options',
    '',
    'Generated from `packages/server/src/config/options.ts` by `npm run docs`. Flags win over variables. Unknown names are warned about; a bad value stops the start with a sentence.',
    '',
    '| flag | variable | value | what it does | default |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
