import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { test } from 'node:test'
import { createStatusStream, STREAM_LIMITS, type StreamLimits, type Timers } from './stream.ts'

/** Time that passes when the test says so. */
function ownTime(): Timers & { pass(milliseconds: number): void; readonly pending: number } {
  let now = 0
  let waiting: { at: number; callback: () => void }[] = []
  return {
    after(milliseconds, callback) {
      const entry = { at: now + milliseconds, callback }
      waiting.push(entry)
      return () => {
        waiting = waiting.filter((other) => other !== entry)
      }
    },
    pass(milliseconds) {
      const end = now + milliseconds
      for (;;) {
        const next = waiting.filter((entry) => entry.at <= end).sort((a, b) => a.at - b.at)[0]
        if (next === undefined) break
        waiting = waiting.filter((entry) => entry !== next)
        now = next.at
        next.callback()
      }
      now = end
    },
    get pending() {
      return waiting.length
    },
  }
}

/** A response that keeps what is written; `behind` is what a slow reader has not taken. */
class Reader extends EventEmitter {
  text = ''
  behind = 0
  ended = false
  destroyed = false
  get writableLength(): number {
    return this.behind
  }
  write(text: string): boolean {
    this.text += text
    return true
  }
  end(): void {
    this.ended = true
    this.emit('close')
  }
  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
  asResponse(): ServerResponse {
    return this as unknown as ServerResponse
  }
  take(): string {
    const { text } = this
    this.text = ''
    return text
  }
}

function started(limits: Partial<StreamLimits> = {}) {
  const time = ownTime()
  let count = 0
  const stream = createStatusStream('e1', () => `{"n":${count}}`, time, { ...STREAM_LIMITS, ...limits })
  const open = (lastEventId?: string): Reader => {
    const reader = new Reader()
    stream.open(reader.asResponse(), lastEventId)
    return reader
  }
  const add = () => {
    count++
    stream.changed()
  }
  return { time, stream, open, add }
}

const event = (number: number, n: number) => `id: e1-${number}\nevent: status\ndata: {"n":${n}}\n\n`

test('D10 a reader gets the state at once, with the time after which to come back', () => {
  const { open } = started()
  assert.equal(open().text, `retry: 3000\n\n${event(1, 0)}`)
})

test('changes are told at once, then at most once a second, the newest state alone', () => {
  const { time, open, add } = started()
  const reader = open()
  reader.take()
  add()
  assert.equal(reader.take(), '', 'the state was told this very second')
  add()
  add()
  time.pass(1_000)
  assert.equal(reader.take(), event(2, 3))
  time.pass(999)
  add()
  assert.equal(reader.take(), '')
  time.pass(1)
  assert.equal(reader.take(), event(3, 4))
  time.pass(5_000)
  assert.equal(reader.take(), '', 'nothing changed')
  add()
  assert.equal(reader.take(), event(4, 5), 'after a quiet second a change is told at once')
})

test('readers that come do not make the stream faster for the others', () => {
  const { time, open, add } = started()
  const first = open()
  first.take()
  for (let reader = 0; reader < 10; reader++) {
    add()
    open()
  }
  assert.equal(first.take(), '')
  time.pass(1_000)
  assert.equal(first.take(), event(2, 10))
})

test('a comment keeps a quiet connection alive every 15 seconds', () => {
  const { time, open } = started()
  const reader = open()
  reader.take()
  time.pass(14_999)
  assert.equal(reader.take(), '')
  time.pass(1)
  assert.equal(reader.take(), ': still here\n\n')
  time.pass(15_000)
  assert.equal(reader.take(), ': still here\n\n')
})

test('Last-Event-ID brings what was missed, in order', () => {
  const { time, open, add } = started()
  open()
  for (let change = 0; change < 3; change++) {
    add()
    time.pass(1_000)
  }
  assert.equal(open('e1-2').text, `retry: 3000\n\n${event(3, 2)}${event(4, 3)}`)
  assert.equal(open('e1-4').text, 'retry: 3000\n\n')
})

test('an id that is unknown, of another process or malformed brings the state as it is', () => {
  const { time, open, add } = started({ kept: 2 })
  open()
  for (let change = 0; change < 5; change++) {
    add()
    time.pass(1_000)
  }
  for (const id of [
    'e1-1',
    'e1-99',
    'e0-5',
    '',
    'x',
    '-1',
    'e1-5\n',
    'e1-999999999999999999999',
    'é'.repeat(5_000),
  ])
    assert.equal(open(id).text, `retry: 3000\n\n${event(6, 5)}`, JSON.stringify(id.slice(0, 20)))
  assert.equal(open('e1-5').text, `retry: 3000\n\n${event(6, 5)}`)
})

test('readers that leave are forgotten, and with the last of them the timers', () => {
  const { time, stream, open, add } = started()
  const readers = [open(), open()]
  assert.equal(stream.readers, 2)
  readers[0]!.destroy()
  assert.equal(stream.readers, 1)
  readers[1]!.destroy()
  add()
  time.pass(60_000)
  assert.equal(stream.readers, 0)
  assert.equal(time.pending, 0)
  assert.match(open().text, /data: \{"n":1\}/, 'a new reader starts them again')
  assert.ok(time.pending > 0)
})

test('a reader that falls behind is dropped, the others are not', () => {
  const { time, stream, open, add } = started()
  const [slow, quick] = [open(), open()]
  slow.behind = STREAM_LIMITS.maxBehindBytes + 1
  add()
  time.pass(1_000)
  assert.equal(slow.destroyed, true)
  assert.equal(quick.destroyed, false)
  assert.equal(stream.readers, 1)
})

test('the number of readers is bounded', () => {
  const { stream, open } = started({ maxReaders: 2 })
  open()
  assert.equal(stream.isFull, false)
  open()
  assert.equal(stream.isFull, true)
})

test('closing ends every reader and leaves no timer', () => {
  const { time, stream, open } = started()
  const readers = [open(), open()]
  stream.close()
  assert.deepEqual(
    readers.map((reader) => reader.ended),
    [true, true],
  )
  assert.equal(time.pending, 0)
})
