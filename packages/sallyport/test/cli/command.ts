// Runs the command as a process of its own in an empty directory, and reads what it says.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** What a finished command left. */
export interface Finished {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** A command that runs. */
export interface Running {
  readonly process: ChildProcess
  /** Waits for a text on the standard output or error; throws where the command ends without it. */
  says(text: string): Promise<void>
  out(): string
  readonly finished: Promise<Finished>
}

/** An empty directory, with files; it goes with the test. */
export function directory(context: TestContext, files: Readonly<Record<string, string>> = {}): string {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-cli-'))
  context.after(() => rmSync(path, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return path
}

/** Starts the command; it is ended with the test. */
export function start(
  context: TestContext,
  cwd: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Running {
  // A variable of the developer's own must not change a test.
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('SALLYPORT_'))
  const child = spawn(process.execPath, [main, ...words], {
    cwd,
    env: { ...Object.fromEntries(own), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  context.after(() => child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, out, err }))
  })
  return {
    process: child,
    out: () => out,
    finished,
    async says(text) {
      while (!`${out}\n${err}`.includes(text)) {
        const ended = await new Promise<boolean>((resolve) => {
          child.stdout.once('data', () => resolve(false))
          child.stderr.once('data', () => resolve(false))
          child.once('close', () => resolve(true))
        })
        if (ended && !`${out}\n${err}`.includes(text))
          throw new Error(`ended without saying ${JSON.stringify(text)}: ${out}${err}`)
      }
    },
  }
}

/** Runs the command to its end. */
export function run(
  context: TestContext,
  cwd: string,
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  return start(context, cwd, words, environment).finished
}
