// `sallyport serve`: the gateway before an API that is already there.

import { createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { createSecureContext } from 'node:tls'
import { show } from '../policy/problem.ts'
import type { Invocation, Terminal } from './command.ts'
import { portOf } from './command-line.ts'
import { Failure } from './failure.ts'
import { isOwnAddress } from './own-address.ts'
import { choosePolicy, endsTlsHere, type PolicyChoice } from './policy-choice.ts'
import { listen, stopSignal, untilStopped } from './running.ts'
import { type Certificate, certificateIn, loadServer, type ServerPackage } from './server.ts'
import { policyWarnings } from './warnings.ts'

const GRACE_MS = 10_000

const BUILT_IN = {
  policy: { extends: 'recommended', transport: { tls: 'here' } },
  source: 'the preset "recommended"',
} as const

/** Runs the command. */
export async function serve(invocation: Invocation, terminal: Terminal): Promise<number> {
  const upstream = upstreamOf(invocation)
  const host = invocation.text('host')!
  const port = portOf(invocation, 'port')
  if (isOwnAddress(upstream, { host, port }))
    throw new Failure(
      `${invocation.nameOf('upstream')}: ${upstream} is this gateway's own address, and requests would go round; name the API's, or choose another port with --port`,
    )
  const chosen = await choosePolicy(invocation, terminal, BUILT_IN)
  const given = await certificateOf(invocation, terminal)
  const server = await loadServer()
  const state = resolve(terminal.directory, invocation.text('state')!)
  const { tls, caFile } = await tlsOf(invocation, chosen, given, server, join(state, 'tls'))
  // Before anything is said to run: a signal right after that must drain already.
  const stopped = stopSignal()
  const gateway = await listen(server, {
    policy: chosen.policy,
    upstream,
    listen: { host, port },
    ...(tls ? { tls } : {}),
    log: ({ event, reason, route, requestId }) =>
      terminal.err(`${event}: ${reason}, route ${route}, request ${requestId || 'without id'}`),
  })
  const warnings = policyWarnings(chosen.resolved, Date.now(), host)
  for (const warning of warnings) terminal.err(`warning: ${warning}`)
  const { source, digest } = chosen
  if (invocation.flag('json'))
    terminal.out(
      JSON.stringify({ url: gateway.url, upstream, policy: source, digest, ...(caFile ? { caFile } : {}) }),
    )
  else
    terminal.out(
      [
        `Sallyport: ${gateway.url} -> ${upstream}`,
        `policy: ${source}, ${digest}`,
        ...(caFile ? [`certificate: a local one, signed by ${relative(terminal.directory, caFile)}`] : []),
        'Ctrl-C drains and stops.',
      ].join('\n'),
    )
  return untilStopped(stopped, terminal, GRACE_MS, (options) => gateway.close(options))
}

function upstreamOf(invocation: Invocation): string {
  const text = invocation.text('upstream')
  if (text === undefined)
    throw new Failure('serve needs the API to stand before; write --upstream http://127.0.0.1:9000')
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isOrigin = url !== undefined && url.pathname === '/' && url.search === '' && url.hash === ''
  if (!isOrigin || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '')
    // The text is not shown where it may hold a password.
    throw new Failure(
      `${invocation.nameOf('upstream')}: expected an http or https origin without user, path and query${text.includes('@') ? '' : `, received ${show(text)}`}; write http://127.0.0.1:9000`,
    )
  return url.origin
}

async function certificateOf(
  invocation: Invocation,
  { directory }: Terminal,
): Promise<Certificate | undefined> {
  const cert = invocation.text('cert')
  const key = invocation.text('key')
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined)
    throw new Failure(
      `${cert === undefined ? '--key' : '--cert'} stands alone; give --cert and --key together`,
    )
  const read = async (option: string, path: string) => {
    try {
      return await readFile(resolve(directory, path), 'utf8')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new Failure(`${invocation.nameOf(option)}: ${path} can't be read (${code}); name a PEM file`)
    }
  }
  return { cert: await read('cert', cert), key: await read('key', key) }
}

// Told apart here, since the listener's own error names neither option nor file. Nothing of a file is shown.
function mustFit(invocation: Invocation, { cert, key }: Certificate): void {
  const attempt = (
    options: readonly ('cert' | 'key')[],
    fault: string,
    mend: string,
    parse: () => unknown,
  ) => {
    try {
      parse()
    } catch (error) {
      const where = options.map((option) => `${invocation.nameOf(option)} ${invocation.text(option)}`)
      throw new Failure(
        `${where.join(' and ')}: ${fault} (${(error as NodeJS.ErrnoException).code}); ${mend}`,
        { cause: error },
      )
    }
  }
  attempt(['cert'], 'holds no certificate in PEM', 'name the file with BEGIN CERTIFICATE', () =>
    createSecureContext({ cert }),
  )
  attempt(
    ['key'],
    'holds no private key in PEM without a passphrase',
    'name the file with BEGIN PRIVATE KEY',
    () => createPrivateKey(key),
  )
  attempt(['cert', 'key'], 'do not belong together', 'name the certificate and its own key', () =>
    createSecureContext({ cert, key }),
  )
}

// Where TLS ends is the policy's to say; the command line only brings the certificate.
async function tlsOf(
  invocation: Invocation,
  chosen: PolicyChoice,
  given: Certificate | undefined,
  server: ServerPackage,
  folder: string,
): Promise<{ readonly tls?: Certificate; readonly caFile?: string }> {
  if (!endsTlsHere(chosen)) {
    if (given)
      throw new Failure(
        `${chosen.source} says that TLS ends in front of this listener, and a certificate is given; write transport: { tls: "here" } in the policy, or leave --cert and --key out`,
      )
    return {}
  }
  if (given) {
    mustFit(invocation, given)
    return { tls: given }
  }
  const { cert, key, caFile } = await certificateIn(server, folder)
  return { tls: { cert, key }, caFile }
}
