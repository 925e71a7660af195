import * as contract from '@evenkeel/contract';
import { type ErrorCode, errorCodes, type RouteSpec, routes } from '@evenkeel/contract';
import { z } from 'zod';

type Json = Record<string, unknown>;

/** Codes that every route can answer with, by what it takes. */
function codesOf(route: RouteSpec): ErrorCode[] {
  const codes: ErrorCode[] = ['bad_input', 'too_many_requests', 'origin_refused', 'internal', ...route.errors];
  if (route.access !== 'public') codes.push('not_signed_in', 'denied');
  if (route.body !== undefined) codes.push('too_large', 'unsupported_media_type');
  return [...new Set(codes)];
}

/** The OpenAPI 3.1 document of the native API, made from the route table and its schemas. */
export function createOpenApi(version: string): Json {
  const components = new Map<string, Json>();
  const convert = converter(components);
  const paths: Record<string, Json> = {};
  for (const route of Object.values<RouteSpec>(routes)) {
    const path = route.path.replaceAll(/:([a-zA-Z]+)/g, '{$1}');
    paths[path] ??= {};
    Object.assign(paths[path], { [route.method.toLowerCase()]: operationOf(route, convert) });
  }
  convert(contract.Problem, 'output');
  return {
    openapi: '3.1.0',
    info: {
      title: 'Evenkeel',
      version,
      description:
        'The native API. Errors are problem details (RFC 9457). Live changes come over the WebSocket `/api/v1/stream`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(Object.values<RouteSpec>(routes).map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: Object.fromEntries([...components].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The access token of a session' },
      },
    },
  };
}

type Convert = (schema: z.ZodType, io: 'input' | 'output') => Json;

/** Schemas that the contract exports become components under their names; what they hold is referred to. */
function converter(components: Map<string, Json>): Convert {
  const ids = new Map<unknown, string>();
  for (const [id, exported] of Object.entries(contract)) {
    if (exported instanceof z.ZodType && !ids.has(exported)) ids.set(exported, id);
  }
  const metadata = Object.assign(z.registry<{ id?: string }>(), {
    get: (schema: z.core.$ZodType) => {
      const id = ids.get(schema);
      return { ...z.globalRegistry.get(schema), ...(id === undefined ? {} : { id }) };
    },
  });
  return (schema, io) => {
    const converted = z.toJSONSchema(z.object({ it: schema }), {
      metadata,
      io,
      override: ({ jsonSchema }) => mend(jsonSchema, io),
    }) as unknown as { properties: { it: Json }; $defs?: Record<string, Json> };
    for (const [id, { id: _id, ...definition }] of Object.entries(converted.$defs ?? {})) {
      components.set(id, withComponentPaths(definition));
    }
    const { id: _id, ...result } = withComponentPaths(converted.properties.it);
    return result;
  };
}

/**
 * Every integer comes with the bounds of JavaScript's safe ones, which say nothing about the API; and an answer may get more
 * fields with a later version, so that clients must not refuse them.
 */
function mend(schema: Json, io: 'input' | 'output'): void {
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  if (io === 'output' && schema['additionalProperties'] === false) delete schema['additionalProperties'];
}

function withComponentPaths(schema: Json): Json {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/')) as Json;
}

function operationOf(route: RouteSpec, convert: Convert): Json {
  const parameters = [
    ...parametersOf('path', route.params, convert),
    ...parametersOf('query', route.query, convert).map((one) => withSorts(one, route.sorts)),
    ...(route.sorts === undefined ? [] : [ifNoneMatch]),
    ...(route.cookie === undefined ? [] : cookieParameters(route.cookie)),
  ];
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    ...(route.access === 'public' ? { security: [] } : { security: [{ bearer: [] }] }),
    ...(route.access === 'public' || route.access === 'signed-in'
      ? {}
      : { description: `Needs the permission \`${route.access}\`.` }),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            // No body at all is read as an empty object.
            required: !route.body.safeParse({}).success,
            content: { 'application/json': { schema: convert(route.body, 'input') } },
          },
        }),
    responses: responsesOf(route, convert),
  };
}

const ifNoneMatch: Json = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'The `ETag` of an earlier answer to the same query: an unchanged list is a 304 without a body',
  schema: { type: 'string' },
};

function cookieParameters(name: string): Json[] {
  return [
    {
      name,
      in: 'cookie',
      required: false,
      description: `The refresh token of a browser. Over TLS the cookie is called \`__Host-${name}\``,
      schema: { type: 'string' },
    },
    {
      name: 'x-evenkeel-request',
      in: 'header',
      required: false,
      description: 'Any value. Must be there when the cookie is: a page of another site cannot send it',
      schema: { type: 'string' },
    },
  ];
}

/** A list can be sorted by the fields of its route only, each in both directions. */
function withSorts(parameter: Json, sorts: RouteSpec['sorts']): Json {
  if (parameter['name'] !== 'sort' || sorts === undefined) return parameter;
  const names = sorts.map((name) => name.replace(/^-/, '')).flatMap((name) => [name, `-${name}`]);
  return { ...parameter, schema: { type: 'string', enum: names, default: sorts[0] } };
}

function parametersOf(place: 'path' | 'query', schema: z.ZodObject | undefined, convert: Convert): Json[] {
  if (schema === undefined) return [];
  return Object.entries(schema.shape).map(([name, field]) => {
    const { description, default: fallback, ...rest } = convert(field as z.ZodType, 'input');
    return {
      name,
      in: place,
      required: place === 'path',
      ...(description === undefined ? {} : { description }),
      // A coerced value arrives as text, so that its input type is unknown: what it becomes is documented.
      schema: {
        ...(rest['type'] === undefined && rest['$ref'] === undefined ? convert(field as z.ZodType, 'output') : rest),
        ...(fallback === undefined ? {} : { default: fallback }),
      },
    };
  });
}

function header(description: string, type: string): Json {
  return { description, schema: { type } };
}

const etag = header('Changes with the list and the query; send it back as `If-None-Match`', 'string');

function responsesOf(route: RouteSpec, convert: Convert): Json {
  const responses: Record<string, Json> = {
    [route.status]:
      route.response === undefined
        ? { description: 'Done' }
        : {
            description: route.summary,
            ...(route.sorts === undefined ? {} : { headers: { ETag: etag } }),
            content: { 'application/json': { schema: convert(route.response, 'output') } },
          },
  };
  if (route.sorts !== undefined)
    responses[304] = {
      description: 'The list has not changed since the `ETag` that was sent',
      headers: { ETag: etag },
    };
  const byStatus = Map.groupBy(codesOf(route), (code) => errorCodes[code].status);
  for (const [status, codes] of [...byStatus].toSorted(([a], [b]) => a - b)) {
    responses[status] = {
      ...(status === 429
        ? { headers: { 'Retry-After': header('Seconds until it is worth trying again', 'integer') } }
        : {}),
      description: codes.map((code) => `\`${code}\`: ${errorCodes[code].title}`).join('. '),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
  }
  return responses;
}
