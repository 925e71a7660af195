import type { FieldProblem, RouteSpec } from '@evenkeel/contract';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Fault } from '../fault.ts';

export interface RequestInput {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

const mostNamed = 20;

/**
 * Parses path, query and body with the schemas of the route. Throws one `bad_input` that names every wrong field of all three,
 * unknown ones included. A missing body counts as an empty one.
 */
export function parseInput(route: RouteSpec, request: FastifyRequest): RequestInput {
  const problems: FieldProblem[] = [];
  const part = (name: string, schema: z.ZodType | undefined, given: unknown): unknown => {
    if (schema === undefined) {
      problems.push(...surplus(name, given));
      return name === 'body' ? undefined : {};
    }
    const parsed = schema.safeParse(given ?? {});
    if (parsed.success) return parsed.data;
    problems.push(...parsed.error.issues.flatMap((issue) => problemsOf(name, issue)));
    return undefined;
  };
  const input = {
    params: part('path', route.params, request.params),
    query: part('query', route.query, request.query),
    body: part('body', route.body, request.body),
  };
  if (problems.length > 0) throw badInput(problems);
  return input;
}

export function badInput(problems: readonly FieldProblem[]): Fault {
  const named = problems.slice(0, mostNamed);
  const sentence = named.map(({ field, message }) => `${field}: ${message}`).join('; ');
  const more = problems.length > named.length ? `; and ${problems.length - named.length} more` : '';
  return new Fault('bad_input', `${sentence}${more}.`.slice(0, 2000), { fields: named });
}

function joined(steps: readonly string[]): string {
  return steps.filter((step) => step !== '').join('.');
}

function surplus(name: string, given: unknown): FieldProblem[] {
  if (given === undefined || given === null) return [];
  if (typeof given !== 'object' || Array.isArray(given))
    return [{ field: name, rule: 'unrecognized_keys', message: 'nothing is expected here' }];
  return Object.keys(given).map((key) => unknownField(name, key));
}

function unknownField(place: string, key: string): FieldProblem {
  return { field: joined([place, key.slice(0, 100)]), rule: 'unrecognized_keys', message: 'is not a known field' };
}

/** One issue of a schema as the fields that are wrong; `name` is where the input stands, empty for a message of its own. */
export function problemsOf(name: string, issue: z.core.$ZodIssue): FieldProblem[] {
  const place = joined([name, ...issue.path.map((step) => String(step).slice(0, 100))]);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownField(place, key));
  return [{ field: place, rule: issue.code, message: issue.message }];
}
