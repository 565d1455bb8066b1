// The audit log beside a chain of hashes that commits each event by itself, on the same store and the same disk, in turn;
// then what checking and proving cost.

import { isDeepStrictEqual } from 'node:util'
import type { Store } from '@sallyport/store'
import { checkLog, holds, openAuditLog, proveEntry } from '@sallyport/store/audit'
import type { AuditEvent } from 'sallyport'
import { signerOf, verifierOf } from 'sallyport/audit'
import { statement } from '../../packages/store/src/statement.ts'
import { machine, median } from '../load.ts'
import { embedded, server } from '../store/engines.ts'

const signer = signerOf('bench.example/log', Buffer.alloc(32, 1))
const verifier = verifierOf(signer)
const GOALS = { ratio: 6, p99Ms: 25, verifyMs: 10_000, proofMs: 1 }
// Whoever waits is part of the next batch; more callers than a batch holds.
const WAITING = 512
// As many as wait at once where a server is busy and not flooded: how long one of them waits is a question of its own, since
// 512 at 20,000 a second wait 26 ms by Little's law, whatever else is done.
const BUSY = 64

const event = (n: number): AuditEvent => ({
  action: 'key.refused',
  outcome: 'denied',
  organisation: `org_${n % 50}`,
  credential: `key_${n % 1_000}`,
  code: 'invalid_credential',
  control: 'SP-KEYS-01',
  address: '203.0.113.7',
  requestId: '3a43001db64d5a9143d90e8a31b6f371',
})

const CHAIN = `
  create table bench_chain_head (one bool primary key default true, seq int8 not null, hash bytea not null);
  insert into bench_chain_head (seq, hash) values (0, '');
  create table bench_chain (seq int8 primary key, hash bytea not null, tenant text, entry text not null);
  grant select, update on bench_chain_head to sallyport_app; grant select, insert on bench_chain to sallyport_app`

// As cheap as a chain can be made: one statement for each event, the lock of one row, one commit.
const chainAppend = statement(
  'bench_chain_append',
  ['text', 'text'],
  { seq: 'int8' },
  `with head as (
     update bench_chain_head set seq = seq + 1, hash = sha256(hash || convert_to($2, 'UTF8')) returning seq, hash
   )
   insert into bench_chain (seq, hash, tenant, entry) select seq, hash, $1, $2 from head returning seq`,
)

interface Rate {
  readonly perSecond: number
  readonly p99Ms: number
}

async function rate(seconds: number, waiting: number, one: (n: number) => Promise<unknown>): Promise<Rate> {
  const times: number[] = []
  const until = performance.now() + seconds * 1_000
  const began = performance.now()
  let n = 0
  await Promise.all(
    Array.from({ length: waiting }, async () => {
      while (performance.now() < until) {
        const at = performance.now()
        await one(n++)
        times.push(performance.now() - at)
      }
    }),
  )
  times.sort((a, b) => a - b)
  return {
    perSecond: times.length / ((performance.now() - began) / 1_000),
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
  }
}

const whole = (n: number) => Math.round(n).toLocaleString('en')

async function compare(name: string, store: Store, rounds: number, seconds: number): Promise<string> {
  await store.asOwner((client) => client.query(CHAIN))
  const audit = await openAuditLog({ database: store, origin: 'bench.example/log', signer })
  const entry = JSON.stringify(event(1)).padEnd(640, ' ')
  const ours: Rate[] = []
  const busy: Rate[] = []
  const chain: Rate[] = []
  for (let round = 0; round < rounds; round++) {
    chain.push(await rate(seconds, 4, (n) => store.query(chainAppend, [`org_${n % 50}`, entry])))
    ours.push(await rate(seconds, WAITING, (n) => audit.append(event(n))))
    busy.push(await rate(seconds, BUSY, (n) => audit.append(event(n))))
  }
  await audit.close()
  const of = (runs: readonly Rate[], field: keyof Rate) => median(runs.map((run) => run[field]))
  const ratio = median(ours.map((run, i) => run.perSecond / chain[i]!.perSecond))
  const p99 = of(busy, 'p99Ms')
  return `| ${name} | ${whole(of(ours, 'perSecond'))} | ${whole(of(chain, 'perSecond'))} | ${ratio.toFixed(1)} | ${ratio >= GOALS.ratio ? 'yes' : 'no'} | ${of(ours, 'p99Ms').toFixed(1)} | ${p99.toFixed(1)} | ${p99 <= GOALS.p99Ms ? 'yes' : 'no'} |`
}

async function checking(store: Store, events: number): Promise<readonly string[]> {
  const audit = await openAuditLog({ database: store, origin: 'bench.example/log', signer })
  for (let n = audit.state.size; n < events; n += 256) {
    for (let i = 0; i < 256; i++) audit.record(event(n + i))
    await audit.flush()
  }
  await audit.close()
  const at = performance.now()
  const { entries, faults } = await checkLog(store, { verifier })
  const verifyMs = performance.now() - at
  if (!isDeepStrictEqual(faults, [])) throw new Error('the log that was just written does not hold')
  const made: number[] = []
  const held: number[] = []
  for (let i = 0; i < 200; i++) {
    const index = Math.floor((i * entries) / 200)
    const before = performance.now()
    const proof = await proveEntry(store, index)
    const between = performance.now()
    if (!holds(proof, verifier)) throw new Error('a proof does not hold')
    made.push(between - before)
    held.push(performance.now() - between)
  }
  const perMillion = (verifyMs / entries) * 1e6
  return [
    `| every entry checked, for 1,000,000 (${whole(entries)} were read) | ${(perMillion / 1_000).toFixed(1)} s | ≤ 10 s | ${perMillion <= GOALS.verifyMs ? 'yes' : 'no'} |`,
    `| a proof read from the store, with its entry and checkpoint | ${median(made).toFixed(2)} ms | – | – |`,
    `| a proof checked | ${median(held).toFixed(3)} ms | ≤ 1 ms | ${median(held) <= GOALS.proofMs ? 'yes' : 'no'} |`,
  ]
}

/** Answers the tables. */
export async function benchAudit(rounds: number, seconds: number, events: number): Promise<string> {
  const rows: string[] = []
  let checks: readonly string[] = []
  for (const open of [embedded, server]) {
    const engine = await open()
    if (engine?.store === undefined) continue
    try {
      rows.push(await compare(engine.name, engine.store, rounds, seconds))
      if (open === server) checks = await checking(engine.store, events)
    } finally {
      await engine.close()
    }
  }
  return [
    '### Audit log',
    '',
    `${machine()}; medians of ${rounds} rounds of ${seconds} s; batches of at most 256 events, every one on the disk before it is answered.`,
    '',
    `| store | events/s, ${WAITING} callers | chain of hashes | × chain (goal ≥ 6) | met | p99 of theirs, ms | p99 of ${BUSY} callers, ms (goal ≤ 25) | met |`,
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    '| | | goal | met |',
    '|---|---|---|---|',
    ...checks,
  ].join('\n')
}
