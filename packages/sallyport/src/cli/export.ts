// `sallyport export`: the policy as configuration of another program.

import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { exportPolicy, PLATFORMS, type Platform } from '../export/index.ts'
import { loadPolicy } from '../policy/load.ts'
import { show } from '../policy/problem.ts'
import '../posture/page/index.ts'
import type { Invocation, Terminal } from './command.ts'
import { Failure } from './failure.ts'

/** Runs the command. */
export async function exportCommand(invocation: Invocation, terminal: Terminal): Promise<number> {
  const [given] = invocation.operands
  const platform = PLATFORMS.find((each) => each === given)
  if (platform === undefined)
    throw new Failure(
      `PLATFORM: expected one of ${PLATFORMS.join(', ')}, received ${given === undefined ? 'nothing' : show(given)}`,
    )
  const { policy } = await loadPolicy(invocation.text('policy'), terminal.directory)
  const made = await exportPolicy(policy, platform)
  if (invocation.flag('json')) {
    terminal.out(JSON.stringify({ platform, ...made }, null, 2))
    return 0
  }
  const out = invocation.text('out')
  if (out === undefined)
    for (const { name, text } of made.files)
      terminal.out(made.files.length === 1 ? text.trimEnd() : `# ${name}\n${text.trimEnd()}\n`)
  else
    await write(made.files, resolve(terminal.directory, out), `${invocation.nameOf('out')} ${out}`, terminal)
  for (const { control, what } of made.limits)
    terminal.err(`${PLATFORM_NAMES[platform]} can't keep: ${control}: ${what}`)
  return 0
}

const PLATFORM_NAMES: Readonly<Record<Platform, string>> = {
  nginx: 'nginx',
  caddy: 'Caddy',
  haproxy: 'HAProxy',
  apache: 'Apache httpd',
  nextjs: 'Next.js',
  vercel: 'Vercel',
  netlify: 'Netlify',
  cloudflare: 'Cloudflare',
}

async function write(
  files: readonly { readonly name: string; readonly text: string }[],
  folder: string,
  option: string,
  terminal: Terminal,
): Promise<void> {
  try {
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    for (const { name, text } of files) {
      await writeFile(join(folder, name), text)
      terminal.err(`wrote ${name}`)
    }
  } catch (error) {
    throw new Failure(
      `${option}: can't be written (${(error as NodeJS.ErrnoException).code}); name a folder that is there, or that can be made in one that is`,
      { cause: error },
    )
  }
}
