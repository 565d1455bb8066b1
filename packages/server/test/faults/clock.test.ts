// A gateway whose machine's clock is set an hour forward and back: what is counted, locked and remembered goes by clocks that
// nobody sets, and the log says that its times can't be compared.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStore } from '@sallyport/store'
import { checkLog, readLog } from '@sallyport/store/audit'
import { storeFolder } from '../../../store/test/fixtures/embedded.ts'
import { keysIn, POLICY, until, worldOf } from './world.ts'

const HOUR_MS = 3_600_000

test('a clock that is set an hour forward or back frees nobody, blocks nobody, and is told in the log, whose order holds', async (context) => {
  const directory = await storeFolder(context)
  const [key] = await keysIn({ directory })
  const real = Date.now
  let offset = 0
  Date.now = () => real() + offset
  context.after(() => {
    Date.now = real
  })
  const counted = { limit: 3, windowSeconds: 600 }
  const node = await worldOf(
    context,
    { store: { folder: directory } },
    {
      policy: {
        ...POLICY,
        routes: {
          ...POLICY.routes,
          '/counted': {
            data: 'public',
            credentials: 'none',
            limits: { addresses: { buckets: { few: counted } } },
          },
        },
      },
    },
  )
  const state = async () => ({
    key: (
      await until(
        'a key',
        () => node.withKey(key!),
        ({ status }) => status !== 503,
      )
    ).status,
    counted: (await node.get('/counted')).status,
    locked: (await node.guess('right')).status,
    another: (await node.guess('right', `${offset}@example.com`)).status,
  })
  for (let count = 0; count < 3; count += 1) assert.equal((await node.get('/counted')).status, 200)
  for (let count = 0; count < 5; count += 1) assert.equal((await node.guess('wrong')).status, 401)
  const before = await state()
  assert.deepEqual(before, { key: 200, counted: 429, locked: 429, another: 200 })
  const waits = async () =>
    [await node.get('/counted'), await node.guess('right')].map((answer) =>
      Number(answer.header('retry-after')),
    )
  const longest = await waits()
  const jumps = () => node.events.filter(({ event }) => event === 'clock-jumped').map(({ reason }) => reason)
  const expected: string[] = []
  for (const hours of [1, -1]) {
    await node.exposing()
    const step = hours * HOUR_MS - offset
    offset = hours * HOUR_MS
    assert.deepEqual(await state(), before, `${hours} h`)
    for (const [at, seconds] of (await waits()).entries())
      assert.ok(
        seconds >= 1 && seconds <= longest[at]!,
        `${seconds} s after ${hours} h, ${longest[at]} before`,
      )
    expected.push(`by ${step / 1_000} s`)
    await until(
      'told',
      async () => jumps(),
      (told) => told.length === expected.length,
    )
    await node.exposing()
  }
  assert.deepEqual(jumps(), expected)
  await node.gateway.close({ graceMs: 0 })

  const store = await openStore({ directory })
  context.after(() => store.close())
  const entries = (await readLog(store, 0, 1_000)).map(({ index, entry }) => ({
    index,
    ...(JSON.parse(entry) as {
      time: number
      metadata: { event_code: string }
      unmapped: { details?: object }
    }),
  }))
  const told = entries
    .map(({ metadata, unmapped }) => [metadata.event_code, unmapped.details] as const)
    .filter(([action]) => action === 'clock.jumped' || action === 'key.exposed')
  assert.deepEqual(
    told.map(([action]) => action),
    ['key.exposed', 'clock.jumped', 'key.exposed', 'key.exposed', 'clock.jumped', 'key.exposed'],
  )
  assert.deepEqual(
    told.filter(([action]) => action === 'clock.jumped').map(([, details]) => details),
    [{ seconds: 3_600 }, { seconds: -7_200 }],
  )
  assert.ok(entries.at(-1)!.time < entries[0]!.time, 'the times go back')
  assert.deepEqual(
    entries.map(({ index }) => index),
    [...entries.keys()],
    'and the order does not',
  )
  assert.deepEqual((await checkLog(store)).faults, [])
})
