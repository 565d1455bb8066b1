// A small API of a shop with the mistakes that APIs make: it may forget every condition on the tenant, or believe what
// the request says of it. Only the database stands between its callers.

import type { TenantPrincipal } from '../../src/tenancy/index.ts'

/** Runs one statement as a tenant. */
export type AskAs = (
  principal: TenantPrincipal,
  text: string,
  values: readonly unknown[],
) => Promise<readonly Record<string, unknown>[]>

/** What the API's own queries say of the tenant. */
export type Care = 'right' | 'none' | 'believing'

const KEYS: Readonly<Record<string, TenantPrincipal>> = {
  'key-acme': { organisation: 'acme' },
  'key-globex': { organisation: 'globex' },
}
const STATUS: Readonly<Record<string, number>> = {
  '42501': 403,
  '23503': 409,
  '23505': 409,
  '22P02': 400,
  '22003': 400,
}

interface Order {
  readonly id?: unknown
  readonly customerId?: unknown
  readonly total?: unknown
  readonly note?: unknown
  readonly organisationId?: unknown
}

/** Makes it. */
export function sampleApi(ask: AskAs, care: Care): (request: Request) => Promise<Response> {
  return async (request) => {
    const caller = KEYS[request.headers.get('authorization') ?? '']
    if (caller === undefined) return json(401, { code: 'unauthorized' })
    try {
      return await answer(request, caller)
    } catch (error) {
      const status = STATUS[(error as { readonly code?: string }).code ?? '']
      if (status === undefined) throw error
      // What a database says of a row may hold the row.
      return json(status, { code: 'refused' })
    }
  }

  async function answer(request: Request, caller: TenantPrincipal): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    const [, first, ...rest] = pathname.split('/')
    // `/organisations/globex/orders/5` names a tenant in the path.
    const [named, resource, id] =
      first === 'organisations' ? [rest[0], rest[1], rest[2]] : [undefined, first, rest[0]]
    const body =
      request.method === 'POST' || request.method === 'PATCH' ? ((await request.json()) as Order) : {}
    const cursor = readCursor(searchParams.get('cursor'))
    const said =
      named ??
      request.headers.get('x-organisation') ??
      searchParams.get('organisation') ??
      cursor?.organisation ??
      (body.organisationId as string | undefined)
    const organisation = care === 'believing' ? (said ?? caller.organisation) : caller.organisation
    // The condition is left out, or filled with what was believed.
    const own = (at: number) => (care === 'none' ? '' : `and organisation_id = $${at}`)
    const values = (...given: readonly unknown[]) => (care === 'none' ? given : [...given, organisation])

    if (resource === 'customers' && id !== undefined)
      return found(await ask(caller, `select * from customers where id = $1 ${own(2)}`, values(id)))
    if (resource === 'search')
      return json(
        200,
        await ask(
          caller,
          `select o.*, c.email from orders o join customers c on c.id = o.customer_id
           where o.note like $1 ${own(2).replace('organisation_id', 'o.organisation_id')} order by o.id limit 50`,
          values(`%${searchParams.get('q') ?? ''}%`),
        ),
      )
    if (resource === 'stats')
      return json(
        200,
        await ask(
          caller,
          `select count(*)::int4 as count, string_agg(distinct note, ' ') as notes from orders where $1::int4 = 1 ${own(2)}`,
          values(1),
        ),
      )
    if (resource !== 'orders') return json(404, { code: 'not_found' })
    if (id === undefined && request.method === 'GET')
      return json(
        200,
        await ask(
          caller,
          `select * from orders where id > $1 ${own(2)} order by id limit 20`,
          values(cursor?.id ?? 0),
        ),
      )
    if (request.method === 'POST')
      return json(
        201,
        await ask(
          caller,
          'insert into orders (organisation_id, id, customer_id, total, note) values ($1, $2, $3, $4, $5) returning *',
          [
            care === 'right' ? caller.organisation : (said ?? caller.organisation),
            body.id,
            body.customerId,
            body.total,
            body.note,
          ],
        ),
      )
    if (request.method === 'PATCH')
      return found(
        care === 'right'
          ? await ask(
              caller,
              `update orders set total = $2, note = $3 where id = $1 ${own(4)} returning *`,
              values(id, body.total, body.note),
            )
          : await ask(
              caller,
              `update orders set total = $2, note = $3, organisation_id = coalesce($4, organisation_id) where id = $1 returning *`,
              [id, body.total, body.note, said ?? null],
            ),
      )
    if (request.method === 'DELETE')
      return found(await ask(caller, `delete from orders where id = $1 ${own(2)} returning *`, values(id)))
    return found(await ask(caller, `select * from orders where id = $1 ${own(2)}`, values(id)))
  }
}

function readCursor(
  text: string | null,
): { readonly organisation?: string; readonly id?: number } | undefined {
  if (text === null) return undefined
  return JSON.parse(Buffer.from(text, 'base64url').toString()) as { organisation?: string; id?: number }
}

function json(status: number, body: unknown): Response {
  return Response.json(body, { status })
}

function found(rows: readonly unknown[]): Response {
  return rows.length === 0 ? json(404, { code: 'not_found' }) : json(200, rows)
}
