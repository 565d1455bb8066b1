// Attacks on what a connection costs: the connection is closed or costs little, memory stays bounded, everybody else is
// served. A slice of each here; `npm run test:long` sends them whole. What each cost is printed, never judged by time.

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { runs } from '../../sallyport/test/runs.ts'
import { temporaryFolder, upstreamFor } from './harness.ts'
import { ATTACKS, type Attack } from './http2-cases/attacks.ts'
import { askHttp2, openHttp2 } from './http2-client.ts'
import { frame, rawHttp2, TYPE } from './http2-frames.ts'

const MB = 1_048_576
// The factor of the long run is 50, and the sizes of a full run are what the slice comes to with it. Fewer rounds than
// this come to no limit.
const LEAST = 500
const roundsOf = ({ rounds }: Attack): number => Math.max(LEAST, (rounds * runs(1).numRuns) / 50)
// A network of its own, since one client's share of the upstream is counted by its address.
const ATTACKER = process.platform === 'linux' ? '127.0.0.2' : undefined

interface Victim {
  readonly port: number
  readonly ca: string
  cost(): Promise<{ readonly cpuMs: number; readonly growth: number }>
  /** Requests that the upstream saw since the last call. */
  reached(): number
}

async function victim(context: TestContext): Promise<Victim> {
  let count = 0
  const large = Buffer.alloc(MB)
  const upstream = await upstreamFor(context, (request, response) => {
    count++
    request.resume()
    response.end(request.url === '/large' ? large : 'x')
  })
  const child = fork(new URL('http2-process.ts', import.meta.url), [upstream, await temporaryFolder(context)])
  context.after(() => child.kill())
  const [{ port, ca }] = (await once(child, 'message')) as [{ port: number; ca: string }]
  return {
    port,
    ca,
    async cost() {
      child.send('cost')
      const [cost] = (await once(child, 'message')) as [{ cpuMs: number; growth: number }]
      return cost
    },
    reached() {
      const before = count
      count = 0
      return before
    },
  }
}

// As an attacker does: without waiting for answers, in large writes, until the other side hangs up.
async function attack(on: Victim, { before = [], round }: Attack, total: number): Promise<boolean> {
  const connection = await rawHttp2(on, ATTACKER)
  connection.send(...before)
  for (let index = 0; index < total && !connection.seen.isClosed; ) {
    const frames: Buffer[] = []
    for (let bytes = 0; index < total && bytes < 65_536; index++)
      for (const next of round(index)) {
        frames.push(next)
        bytes += next.length
      }
    if (!connection.socket.write(Buffer.concat(frames)))
      await Promise.race([once(connection.socket, 'drain'), connection.until(() => false)]).catch(() => {})
  }
  // Its acknowledgement comes when all before it is read.
  connection.send(frame(TYPE.ping, 0, 0, 'the end.'))
  const pings = connection.seen.counts.get(TYPE.ping) ?? 0
  const seen = await connection.until(
    ({ counts, goaway }) => goaway !== undefined || (counts.get(TYPE.ping) ?? 0) > pings,
  )
  const isClosed = seen.isClosed || seen.goaway !== undefined
  connection.socket.destroy()
  return isClosed
}

test('no attack on the cost of a connection keeps others from being served', {
  timeout: 300_000,
}, async (context) => {
  const target = await victim(context)
  const other = await openHttp2(context, target)
  // The first requests of a process compile its code.
  for (let i = 0; i < 20; i++) await askHttp2(other, '/')
  await target.cost()
  for (const each of ATTACKS)
    await context.test(`${each.name} (${each.source})`, async (inner) => {
      target.reached()
      const total = roundsOf(each)
      const isClosed = await attack(target, each, total)
      const answer = await askHttp2(other, '/')
      assert.deepEqual([answer.status, answer.body], [200, 'x'], 'another client')
      const { cpuMs, growth } = await target.cost()
      inner.diagnostic(
        `${total} rounds: ${isClosed ? 'closed' : 'tolerated'}, ${Math.round(cpuMs)} ms CPU, ${Math.round(growth / MB)} MB more, ${target.reached()} requests reached the upstream`,
      )
      if (each.isClosed) assert.ok(isClosed, 'the connection is closed')
      assert.ok(growth < 150 * MB, `grew by ${growth / MB} MB`)
    })
})
