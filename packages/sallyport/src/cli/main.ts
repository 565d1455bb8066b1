#!/usr/bin/env node
// The command `sallyport`. Nothing but the check of the version is loaded before it: an old Node must meet one clear
// line, not a stack of errors about what it doesn't know.

import { nodeFault } from './node-version.ts'

const fault = nodeFault(process.versions.node)
if (fault !== undefined) {
  process.stderr.write(`sallyport: ${fault}\n`)
  process.exitCode = 2
} else {
  // `sallyport check | head` closes our output early; that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 2)
  })
  // What nobody caught, a policy's own timer included: one line, and a stack for those who ask for it.
  if (process.env['SALLYPORT_DEBUG'] !== '1')
    process.on('uncaughtException', (error: unknown) => {
      const message = error instanceof Error ? error.message : String(error)
      process.stderr.write(`sallyport: ${message.split('\n', 1)[0]} (SALLYPORT_DEBUG=1 shows where)\n`)
      process.exit(1)
    })
  const { run } = await import('./run.ts')
  process.exitCode = await run(process.argv.slice(2), {
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
    ...(process.stderr.isTTY ? { progress: (line) => process.stderr.write(`\r\x1b[K${line}`) } : {}),
    environment: process.env,
    directory: process.cwd(),
  })
}
