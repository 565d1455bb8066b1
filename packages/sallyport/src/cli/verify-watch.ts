// `sallyport verify --watch`: again and again, with its state in a file, until a signal ends it.

import { readFile, rename, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { show } from '../policy/problem.ts'
import { CouldNotVerify, type Verification } from '../posture/verify/result.ts'
import { type Change, readInterval, type WatchState, watch } from '../posture/verify/watch.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'
import { callWebhook, runCommand } from './verify-change.ts'

/** Watches until SIGINT or SIGTERM, and ends with 0 then. */
export async function watchVerification(
  invocation: Invocation,
  terminal: Terminal,
  run: () => Promise<Verification>,
  report: (result: Verification) => Promise<void>,
): Promise<number> {
  const given = invocation.text('watch')!
  const everyMs = readInterval(given)
  if (everyMs === undefined)
    throw new Failure(
      `${invocation.nameOf('watch')}: expected an interval from 10s to 7d, received ${show(given)}; write 1h`,
    )
  const tell = teller(invocation)
  const stateFile = resolve(terminal.directory, invocation.text('watch-state')!)
  const controller = new AbortController()
  const stop = () => controller.abort()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  try {
    await watch({
      everyMs,
      async run() {
        const result = await run()
        await report(result)
        return result
      },
      read: () => readState(stateFile, invocation),
      write: async (state) => {
        await writeFile(`${stateFile}.new`, `${JSON.stringify(state, null, 2)}\n`)
        await rename(`${stateFile}.new`, stateFile)
      },
      async tell(change) {
        for (const each of tell) await each(change)
      },
      onRun: (outcome, change, failure) => terminal.err(runLine(outcome, change, failure)),
      clock: Date.now,
      wait: (ms) => sleep(ms, undefined, { signal: controller.signal }).catch(() => {}),
      signal: controller.signal,
    })
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop)
  }
  return 0
}

function teller(invocation: Invocation): readonly ((change: Change) => Promise<void>)[] {
  const webhook = invocation.text('on-change-webhook')
  const command = invocation.text('on-change-command')
  if (webhook === undefined && command === undefined)
    throw new Failure(
      '--watch needs somebody to tell; add --on-change-webhook URL or --on-change-command CMD',
    )
  if (webhook !== undefined && !/^https?:$/.test(URL.parse(webhook)?.protocol ?? ''))
    throw new Failure(
      `${invocation.nameOf('on-change-webhook')}: expected a URL such as https://hooks.example.com/…`,
    )
  return [
    ...(webhook === undefined ? [] : [(change: Change) => callWebhook(webhook, change)]),
    ...(command === undefined ? [] : [(change: Change) => runCommand(command, change)]),
  ]
}

async function readState(file: string, invocation: Invocation): Promise<WatchState | undefined> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Failure(
      `${invocation.nameOf('watch-state')}: can't be read (${(error as NodeJS.ErrnoException).code})`,
    )
  }
  try {
    const state = JSON.parse(text) as WatchState
    if (state.format === 'sallyport-watch/1' && Array.isArray(state.known)) return state
  } catch {
    // Said below.
  }
  throw new Failure(
    `${invocation.nameOf('watch-state')}: holds no state of a watch; name another file, or remove it`,
  )
}

function runLine(
  outcome: Verification | CouldNotVerify,
  change: Change | undefined,
  failure: unknown,
): string {
  const what =
    outcome instanceof CouldNotVerify
      ? `could not verify: ${outcome.message}`
      : `${outcome.at} ${outcome.target}: ${outcome.passed} of ${outcome.of} probes hold, ${outcome.findings.length} findings`
  if (change === undefined) return `${what}; nothing has changed`
  const told = failure === undefined ? 'told' : `not told: ${(failure as Error).message}`
  return `${what}; ${change.appeared.length} appeared, ${change.gone.length} gone (${told})`
}
