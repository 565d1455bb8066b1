// Tells somebody that what is found has changed: a webhook, or a command with the change on its standard input.

import { spawn } from 'node:child_process'
import type { Change } from '../posture/verify/watch.ts'
import { Failure } from './failure.ts'

const WEBHOOK_MS = 15_000
const COMMAND_MS = 60_000

/** Posts the change as JSON. @throws Failure where it was not taken; the URL may hold a secret and is not said */
export async function callWebhook(url: string, change: Change): Promise<void> {
  let status: number
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(change),
      redirect: 'error',
      signal: AbortSignal.timeout(WEBHOOK_MS),
    })
    await response.body?.cancel()
    status = response.status
  } catch (error) {
    const { cause, name } = error as { cause?: { code?: string }; name: string }
    throw new Failure(
      `the webhook gave no answer (${cause?.code ?? name}); it is called again after the next run`,
    )
  }
  if (status < 200 || status > 299)
    throw new Failure(`the webhook answered ${status}; it is called again after the next run`)
}

/** Runs a command by the shell, the change as JSON on its standard input. @throws Failure where it fails */
export function runCommand(command: string, change: Change): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, {
      shell: true,
      stdio: ['pipe', 'inherit', 'inherit'],
      timeout: COMMAND_MS,
      env: {
        ...process.env,
        SALLYPORT_TARGET: change.target,
        SALLYPORT_APPEARED: String(change.appeared.length),
        SALLYPORT_GONE: String(change.gone.length),
      },
    })
    // A command need not read it.
    child.stdin.on('error', () => {})
    child.stdin.end(JSON.stringify(change))
    child.on('error', (error) =>
      reject(new Failure(`the command can't be run (${(error as NodeJS.ErrnoException).code})`)),
    )
    child.on('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Failure(`the command ended with ${code ?? signal}; it is run again after the next run`))
    })
  })
}
