// The tables of a store as the database itself knows them, in an order in which their rows can be written.

import type pg from 'pg'

/** A table. */
export interface Table {
  readonly name: string
  /** The column of the tenant, where rows are bound to one. */
  readonly tenant: boolean
  /** The columns of the primary key, for an order. */
  readonly key: readonly string[]
}

const TABLES = `
  select c.relname::text as name, c.relrowsecurity as tenant,
    coalesce((select array_agg(quote_ident(a.attname) order by array_position(i.indkey::int2[], a.attnum))
      from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
      where i.indrelid = c.oid and i.indisprimary), '{}') as key,
    coalesce((select array_agg(distinct r.relname::text)
      from pg_constraint f join pg_class r on r.oid = f.confrelid
      where f.conrelid = c.oid and f.contype = 'f' and f.confrelid <> c.oid), '{}') as needs
  from pg_class c
  where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relname <> 'sallyport_migrations'
  order by c.relname`

/** Every table of the store, those first that others refer to. */
export async function tablesOf(client: pg.ClientBase): Promise<readonly Table[]> {
  const { rows } = await client.query<Table & { readonly needs: readonly string[] }>(TABLES)
  const ordered: Table[] = []
  const waiting = new Map(rows.map((row) => [row.name, row]))
  while (waiting.size > 0) {
    const free = [...waiting.values()].filter(({ needs }) => !needs.some((name) => waiting.has(name)))
    if (free.length === 0)
      throw new Error(`tables refer to each other in a circle: ${[...waiting.keys()].join(', ')}`)
    for (const { name, tenant, key } of free) {
      ordered.push({ name, tenant, key })
      waiting.delete(name)
    }
  }
  return ordered
}

/** Quotes a name for SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
