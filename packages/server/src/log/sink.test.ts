// The log's file over a rotation and at its end: whole lines, each in one file, none lost.

import assert from 'node:assert/strict'
import { readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as turnOfTheLoop } from 'node:timers/promises'
import { temporaryFolder } from '../../test/harness.ts'
import { openSink } from './sink.ts'

const line = (n: number) => `{"n":${n},"text":"${'x'.repeat(500)}"}\n`
const numbers = (text: string) =>
  text.split('\n').flatMap((one) => (one === '' ? [] : [(JSON.parse(one) as { n: number }).n]))

test('rotated again and again while it is written, every line is whole and in one file', async (context) => {
  const folder = await temporaryFolder(context)
  const file = join(folder, 'access.log')
  const sink = openSink({ file })
  const old: { readonly name: string; readonly text: string }[] = []
  let n = 0
  for (let turn = 0; turn < 20; turn++) {
    for (let i = 0; i < 8_000; i++) sink.write(line(n++))
    // The first piece has left, and a large one is under way.
    while (statSync(file, { throwIfNoEntry: false })?.size === 0) await turnOfTheLoop()
    await turnOfTheLoop()
    const name = `${file}.${turn}`
    renameSync(file, name)
    await sink.reopen()
    old.push({ name, text: readFileSync(name, 'utf8') })
  }
  await sink.close()
  for (const { name, text } of old) assert.equal(readFileSync(name, 'utf8'), text, `${name} has grown`)
  const all = [...old.map(({ text }) => text), readFileSync(file, 'utf8')].flatMap(numbers)
  assert.deepEqual(
    all,
    Array.from({ length: n }, (_, i) => i),
  )
  assert.equal(sink.dropped, 0)
})

test('reopened twice at once it loses nothing, and what comes after its end is nothing', async (context) => {
  const file = join(await temporaryFolder(context), 'access.log')
  const sink = openSink({ file })
  for (let i = 0; i < 400; i++) sink.write(line(i))
  await Promise.all([sink.reopen(), sink.reopen()])
  const closed = sink.close()
  sink.write(line(400))
  await closed
  assert.equal(numbers(readFileSync(file, 'utf8')).length, 400)
})

test('a standard output that nobody reads does not hold the end for ever', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const sink = openSink('stdout', new PassThrough({ highWaterMark: 1 }) as never)
  for (let i = 0; i < 400; i++) sink.write(line(i))
  const closed = sink.close()
  context.mock.timers.tick(2_000)
  await closed
})
