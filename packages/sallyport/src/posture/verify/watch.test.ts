// When the watch tells and when it keeps silent, run by run, on a clock of its own.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CouldNotVerify, type Verification, type VerifyFinding } from './result.ts'
import { type Change, readInterval, type WatchState, watch } from './watch.ts'

function finding(id: string): VerifyFinding {
  return {
    id,
    severity: 'medium',
    control: 'SP-HEADERS-01',
    class: '200',
    cell: '*',
    detail: `${id} is there`,
    mend: 'mend it',
    standards: [],
    curl: '',
  }
}

function verification(...ids: readonly string[]): Verification {
  return {
    format: 'sallyport-verification/1',
    at: '2026-01-01T00:00:00.000Z',
    target: 'https://api.example',
    policyDigest: 'sha256:00',
    profile: 'quick',
    source: 'live',
    durationMs: 1,
    requests: 1,
    passed: 1,
    of: 1 + ids.length,
    findings: ids.map(finding),
    controls: [],
    classes: [],
    notRun: [],
    notes: [],
    replicas: [],
  }
}

type Step = { readonly outcome: Verification | CouldNotVerify; readonly tellFails?: boolean }

/** Runs each step once, an hour apart. */
async function watched(steps: readonly Step[], began?: WatchState) {
  const changes: Change[] = []
  const waits: number[] = []
  const left = [...steps]
  const controller = new AbortController()
  let now = 0
  let state = began
  let step = steps[0]!
  await watch({
    everyMs: 3_600_000,
    clock: () => now,
    async wait(ms) {
      waits.push(ms)
      now += ms
    },
    async run() {
      step = left.shift()!
      if (left.length === 0) controller.abort()
      now += 1_000
      if (step.outcome instanceof CouldNotVerify) throw step.outcome
      return step.outcome
    },
    read: async () => state,
    async write(next) {
      state = JSON.parse(JSON.stringify(next)) as WatchState
    },
    async tell(change) {
      if (step.tellFails) throw new Error('nobody listens')
      changes.push(change)
    },
    signal: controller.signal,
  })
  const told = changes.map(({ appeared, gone }) => [appeared.map(({ id }) => id), gone.map(({ id }) => id)])
  return { told, waits, state }
}

describe('the watch', () => {
  it('tells what appeared and what is gone, and nothing where nothing changed', async () => {
    const { told, waits } = await watched([
      { outcome: verification() },
      { outcome: verification('a.one') },
      { outcome: verification('a.one') },
      { outcome: verification('b.two') },
      { outcome: verification() },
    ])
    assert.deepEqual(told, [
      [['a.one'], []],
      [['b.two'], ['a.one']],
      [[], ['b.two']],
    ])
    // The next run begins an hour after the last one began.
    assert.deepEqual(waits, [3_599_000, 3_599_000, 3_599_000, 3_599_000])
  })

  it('tells at the first run what is wrong already, and not again after a restart', async () => {
    const first = await watched([{ outcome: verification('a.one') }])
    assert.deepEqual(first.told, [[['a.one'], []]])
    const second = await watched([{ outcome: verification('a.one') }], first.state)
    assert.deepEqual(second.told, [])
  })

  it('tells again what could not be told', async () => {
    const { told } = await watched([
      { outcome: verification('a.one'), tellFails: true },
      { outcome: verification('a.one') },
    ])
    assert.deepEqual(told, [[['a.one'], []]])
  })

  it('tells that it could not verify, once, and keeps what it knew', async () => {
    const { told, state } = await watched([
      { outcome: verification('a.one') },
      { outcome: new CouldNotVerify('no answer') },
      { outcome: new CouldNotVerify('no answer') },
      { outcome: verification('a.one') },
    ])
    assert.deepEqual(told, [
      [['a.one'], []],
      [['verify.unreachable'], []],
      [[], ['verify.unreachable']],
    ])
    assert.deepEqual(
      state?.known.map(({ id }) => id),
      ['a.one'],
    )
  })

  it('takes intervals from ten seconds to the seven days of PCI DSS', () => {
    assert.deepEqual(
      ['10s', '90m', '1h', '7d'].map(readInterval),
      [10_000, 5_400_000, 3_600_000, 604_800_000],
    )
    for (const wrong of ['', '9s', '8d', '1', '1w', '-1h', '1.5h'])
      assert.equal(readInterval(wrong), undefined, wrong)
  })
})
