import { z } from 'zod';

/** Query of every list: `limit` items after `cursor`, sorted by `sort` (`-name` is descending), filtered by `q`. */
export const ListQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(5000).default(1000).describe('Items per page'),
  cursor: z.string().max(500).optional().describe('`nextCursor` of the page before'),
  sort: z.string().max(40).optional().describe('Field name, `-` before it for descending'),
  q: z.string().max(200).optional().describe('Text that the name or image must hold'),
});
export type ListQuery = z.infer<typeof ListQuery>;

/** A page of a list. `total` counts all that match, whatever the page. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), total: z.int(), nextCursor: z.string().nullable() });
}
export type Page<T> = { items: T[]; total: number; nextCursor: string | null };

/** A moment in time: ISO 8601, UTC, milliseconds. */
export const Moment = z.string().describe('ISO 8601 in UTC');
