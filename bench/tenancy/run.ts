// What it costs that the database keeps tenants apart.

import { postgresMissing } from '../../packages/store/test/fixtures/postgres.ts'
import { measureTenancy } from '../../packages/store/test/tenancy/measure.ts'

/** Answers the table, or nothing where PostgreSQL is not installed. */
export async function benchTenancy(rounds: number, rows: number): Promise<string> {
  if (postgresMissing) {
    console.error(postgresMissing)
    return ''
  }
  const { policy, envelope } = await measureTenancy(rows, rounds * 10, 30)
  const us = (value: number) => value.toFixed(0)
  return [
    '### Tenants kept apart by the database',
    '',
    `PostgreSQL 15 on a socket, ${rows} rows of 1000 tenants; one caller; microseconds for a call, medians of ${rounds * 10} rounds of 30 calls, all in turn.`,
    '',
    '| query | condition by hand | policy | ratio |',
    '|---|---|---|---|',
    ...policy.map(
      ({ query, byHand, byPolicy }) =>
        `| ${query} | ${us(byHand)} | ${us(byPolicy)} | ${(byPolicy / byHand).toFixed(2)} |`,
    ),
    '',
    '| a row by its key | µs | ratio |',
    '|---|---|---|',
    ...envelope.map(({ way, us: time, bare }) => `| ${way} | ${us(time)} | ${(time / bare).toFixed(2)} |`),
  ].join('\n')
}
