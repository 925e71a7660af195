import { ClientMessage, collectionTopics, ServerMessage, streamCloseCodes } from '@evenkeel/contract';
import { z } from 'zod';

interface Json {
  readonly [key: string]: unknown;
}

/** docs/reference/stream.md: the messages of the stream, made from the schemas that the server reads and writes them by. */
export function streamReference(): string {
  return [
    '# The stream',
    '',
    'Generated from `packages/contract/src/stream.ts` by `npm run docs`. [The API for scripts](../api.md#stream) shows how it is used.',
    '',
    '`/api/v1/stream` is a WebSocket (RFC 6455) with one JSON object a text frame. An upgrade is refused with an HTTP status and a problem document: 403 for another origin, 429 when too many streams are open.',
    '',
    `Topics: ${collectionTopics.map(code).join(', ')}.`,
    '',
    '## What the client says',
    '',
    ...messages(ClientMessage.options, 'input'),
    '## What the server says',
    '',
    ...messages(ServerMessage.options, 'output'),
    '## Why it ends',
    '',
    '| code | meaning |',
    '|---|---|',
    ...Object.values(streamCloseCodes).map(({ code, meaning }) => `| ${code} | ${meaning} |`),
    '| 1009 | A message of more than 64 KiB |',
    '',
  ].join('\n');
}

function messages(options: readonly z.ZodObject[], io: 'input' | 'output'): string[] {
  return options.flatMap((option) => {
    const {
      properties = {},
      required = [],
      description,
    } = z.toJSONSchema(option, { io }) as {
      properties?: Record<string, Json>;
      required?: string[];
      description?: string;
    };
    const rows = Object.entries(properties).map(([name, field]) =>
      row([code(name), typeOf(field), requiredOf(required.includes(name), field), String(field['description'] ?? '')]),
    );
    return [
      `### ${code(String(properties['type']?.['const']))}`,
      '',
      `${description}.`,
      '',
      '| field | type | required | meaning |',
      '|---|---|---|---|',
      ...rows,
      '',
    ];
  });
}

function requiredOf(required: boolean, field: Json): string {
  if ('default' in field) return `no, ${JSON.stringify(field['default'])}`;
  return required ? 'yes' : 'no';
}

function typeOf(schema: Json): string {
  const of = (part: unknown) => typeOf(part as Json);
  if ('const' in schema) return code(String(schema['const']));
  if (Array.isArray(schema['enum'])) return schema['enum'].map((one) => code(String(one))).join(', ');
  const choices = schema['anyOf'] ?? schema['oneOf'];
  if (Array.isArray(choices)) return choices.map(of).join(' or ');
  if (schema['type'] === 'array') return `list of ${of(schema['items'])}`;
  if (schema['type'] === 'object') {
    const fields = Object.entries((schema['properties'] ?? {}) as Record<string, Json>);
    return `{ ${fields.map(([name, field]) => `${code(name)}: ${typeOf(field)}`).join('; ')} }`;
  }
  if (typeof schema['type'] !== 'string') return 'anything';
  return [schema['type'], ...boundsOf(schema)].join(', ');
}

function boundsOf(schema: Json): string[] {
  const { minimum, maximum, maxLength, format } = schema;
  const bounded = typeof maximum === 'number' && maximum < Number.MAX_SAFE_INTEGER;
  return [
    ...(format === undefined ? [] : [String(format)]),
    ...(bounded ? [`${minimum} to ${maximum}`] : []),
    ...(typeof maxLength === 'number' && format === undefined ? [`at most ${maxLength} characters`] : []),
  ];
}

function code(text: string): string {
  return `\`${text}\``;
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
