/** Options of the server that would point the demo at something that is not its own. */
const ownFlags = ['engine', 'data-dir', 'key-file'] as const;

/** What the demo hands to the server, or the sentence about what it cannot take. */
export type DemoOptions =
  | { kind: 'good'; options: readonly string[]; environment: NodeJS.ProcessEnv; ignored: readonly string[] }
  | { kind: 'wrong'; sentence: string };

/**
 * Separates the demo from everything that is not the demo: a data folder, a key or an engine named in the environment
 * stays out of it, and named in the arguments it is refused. `ignored` are the variables that were left out.
 */
export function readDemoOptions(parameters: readonly string[], environment: NodeJS.ProcessEnv): DemoOptions {
  const options = parameters.filter((parameter) => parameter !== '--demo');
  const refused = ownFlags.filter((flag) =>
    options.some((option) => option === `--${flag}` || option.startsWith(`--${flag}=`)),
  );
  if (refused.length > 0) {
    const flags = refused.map((flag) => `--${flag}`).join(' and ');
    return {
      kind: 'wrong',
      sentence: `The demo has an engine, data and a key of its own, so it does not take ${flags}. Leave that out, or start without --demo.`,
    };
  }
  const variables = ownFlags.map((flag) => `EVENKEEL_${flag.replaceAll('-', '_').toUpperCase()}`);
  const kept = Object.entries(environment).filter(([name]) => !variables.includes(name));
  return {
    kind: 'good',
    options,
    environment: Object.fromEntries(kept),
    ignored: variables.filter((name) => environment[name] !== undefined),
  };
}
