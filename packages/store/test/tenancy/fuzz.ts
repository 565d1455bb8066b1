// Drives the sample API as two organisations that ask for each other's rows in every way they can write down, and looks
// for a foreign row in what comes back and in what is left in the tables.

import assert from 'node:assert/strict'
import pg from 'pg'
import { withTenant } from '../../src/tenancy/index.ts'
import { runAs } from './fixtures.ts'
import { type AskAs, type Care, sampleApi } from './sample-api.ts'

/** What came of it. */
export interface FuzzResult {
  readonly requests: number
  readonly foreign: number
  /** By status. */
  readonly answers: Readonly<Record<number, number>>
}

const ORGANISATIONS = ['acme', 'globex'] as const
type Organisation = (typeof ORGANISATIONS)[number]
const other = (organisation: Organisation): Organisation => (organisation === 'acme' ? 'globex' : 'acme')
// Rows of one organisation alone, which nobody deletes or changes; and ids that both have.
const KEPT = { acme: [1, 20], globex: [101, 120] } as const
const SHARED = [201, 220] as const

/** The rows before: each holds the mark of its owner. */
function fuzzRows(): string {
  return ORGANISATIONS.flatMap((organisation) =>
    [KEPT[organisation], SHARED].map(
      ([from, to]) => `
insert into customers select '${organisation}', i, 'mark-${organisation}-' || i, 'mark-${organisation}' from generate_series(${from}, ${to}) i;
insert into orders select '${organisation}', i, i, 7, 'mark-${organisation}' from generate_series(${from}, ${to}) i;`,
    ),
  ).join('')
}

/** Runs `requests` of them, several at once over `pool`. @param ownerUrl of who sees all rows, to look at the end */
export async function fuzz(
  pool: pg.Pool,
  ownerUrl: string,
  care: Care,
  requests: number,
  seed: number,
): Promise<FuzzResult> {
  const ask: AskAs = (principal, text, values) =>
    withTenant(pool, principal, async (client) => (await client.query({ text, values: [...values] })).rows)
  const api = sampleApi(ask, care)
  const random = generator(seed)
  const answers: Record<number, number> = {}
  let foreign = 0
  let left = requests
  const caller = async () => {
    while (left > 0) {
      left -= 1
      const organisation = pick(random, ORGANISATIONS)
      const response = await api(requestOf(random, organisation))
      const body = await response.text()
      answers[response.status] = (answers[response.status] ?? 0) + 1
      if (
        body.includes(`mark-${other(organisation)}`) ||
        body.includes(`"organisation_id":"${other(organisation)}"`)
      )
        foreign += 1
    }
  }
  await Promise.all(Array.from({ length: 4 }, caller))
  foreign += await damage(ownerUrl)
  return { requests, foreign, answers }
}

/** What of one organisation's rows another has changed, taken, made or deleted. */
async function damage(ownerUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: ownerUrl })
  await client.connect()
  try {
    const { rows } = await client.query<{ damage: number }>(
      `select (count(*) filter (where note <> 'mark-' || organisation_id)
           + count(*) filter (where kept and total <> 7) + abs(40 - count(*) filter (where kept)))::int4 as damage
         from (select *, (organisation_id = 'acme' and id <= 20) or (organisation_id = 'globex' and id between 101 and 120) as kept
           from orders) all_orders`,
    )
    return rows[0]!.damage
  } finally {
    await client.end()
  }
}

/** Deletes and fills again. */
export async function refill(superuserUrl: string): Promise<void> {
  await runAs(superuserUrl, `truncate orders, customers; ${fuzzRows()}`)
}

function requestOf(random: () => number, organisation: Organisation): Request {
  const foreign = other(organisation)
  const method = pick(random, ['GET', 'GET', 'GET', 'POST', 'PATCH', 'DELETE'] as const)
  const target = random() < 0.8 ? foreign : organisation
  // A write goes to rows that the caller may change, or to the other's.
  const id = pick(random, [
    between(random, KEPT[foreign]),
    between(random, SHARED),
    ...(method === 'GET' ? [between(random, KEPT[organisation])] : []),
    between(random, [1_000, 1_400]),
  ])
  const resource = pick(random, ['orders', 'orders', 'customers', 'search', 'stats'] as const)
  const url = new URL('http://shop.example')
  const path = method === 'GET' && resource !== 'orders' ? `/${resource}` : '/orders'
  const single =
    method === 'PATCH' ||
    method === 'DELETE' ||
    (method === 'GET' && resource !== 'search' && resource !== 'stats' && random() < 0.6)
  url.pathname = `${random() < 0.3 ? `/organisations/${target}` : ''}${path}${single ? `/${id}` : ''}`
  if (random() < 0.3) url.searchParams.set('organisation', target)
  if (random() < 0.3)
    url.searchParams.set(
      'cursor',
      Buffer.from(JSON.stringify({ organisation: target, id: random() < 0.5 ? 0 : id })).toString(
        'base64url',
      ),
    )
  if (resource === 'search')
    url.searchParams.set('q', pick(random, ['', 'mark', `mark-${foreign}`, "' or 1=1 --", '%']))
  const headers: Record<string, string> = { authorization: `key-${organisation}` }
  if (random() < 0.3) headers['x-organisation'] = target
  if (method !== 'POST' && method !== 'PATCH') return new Request(url, { method, headers })
  return new Request(url, {
    method,
    headers,
    body: JSON.stringify({
      id,
      customerId: pick(random, [
        between(random, KEPT[foreign]),
        between(random, KEPT[organisation]),
        between(random, SHARED),
      ]),
      total: Math.floor(random() * 1_000),
      // Whoever writes a row leaves its own mark in it.
      note: `mark-${organisation}`,
      ...(random() < 0.5 ? { organisationId: target } : {}),
    }),
  })
}

function pick<T>(random: () => number, list: readonly T[]): T {
  return list[Math.floor(random() * list.length)]!
}

function between(random: () => number, [from, to]: readonly [number, number]): number {
  return from + Math.floor(random() * (to - from + 1))
}

// mulberry32: the same requests for the same seed.
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Whether enough kinds of answers came for the result to mean something. */
export function assertVaried({ answers }: FuzzResult, care: Care): void {
  for (const status of care === 'right' ? [200, 201, 404, 409] : [200, 403, 404])
    assert.ok((answers[status] ?? 0) > 10, `${status} came ${answers[status] ?? 0} times`)
}
