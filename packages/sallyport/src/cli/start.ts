// `sallyport start`: the gateway before the sample API, the whole thing in one command.

import { join, relative, resolve } from 'node:path'
import type { AccessSetting } from '../controls/access/setting.ts'
import { type DisclosureSetting, POSTURE_PATH } from '../controls/disclosure/setting.ts'
import { OWN_ROTATION } from '../controls/keys/self-service/paths.ts'
import { fullSelfService, type KeysSetting } from '../controls/keys/setting.ts'
import type { LimitsSetting } from '../controls/limits/setting.ts'
import type { ResolvedPolicy } from '../guard/resolve.ts'
import type { Invocation, Terminal } from './command.ts'
import { portOf } from './command-line.ts'
import { DEMO_HOST, demoPolicy } from './demo.ts'
import { curlLines, type Demo, greeting } from './greeting.ts'
import { choosePolicy, endsTlsHere, withTlsHere } from './policy-choice.ts'
import { listen, listenFailure, stopSignal, untilStopped } from './running.ts'
import { certificateIn, loadServer, type Sample, type SampleKeys, type ServerPackage } from './server.ts'
import { storeFailure } from './store-package.ts'
import { policyWarnings } from './warnings.ts'

const GRACE_MS = 5_000

const BUILT_IN = { policy: demoPolicy, source: 'the built-in demo' } as const

/** Runs the command. */
export async function start(invocation: Invocation, terminal: Terminal): Promise<number> {
  const host = invocation.text('host')!
  const port = portOf(invocation, 'port')
  const samplePort = portOf(invocation, 'upstream-port')
  const found = await choosePolicy(invocation, terminal, BUILT_IN)
  // The demo has no front, whatever the policy is written for.
  const chosen = endsTlsHere(found) ? found : await withTlsHere(found)
  if (chosen !== found)
    terminal.err(`note: ${found.source} has TLS end in front; here it ends at the gateway`)
  const server = await loadServer()
  const state = resolve(terminal.directory, invocation.text('state')!)
  const { caFile } = await certificateIn(server, join(state, 'tls'))
  // Before anything is said to run: a signal right after that must drain already.
  const stopped = stopSignal()
  const store = { folder: join(state, 'store') }
  const keys = await keysFor(server, chosen.resolved, store.folder)
  const sample = await startSample(server, samplePort)
  const gateway = await listen(server, {
    policy: chosen.policy,
    upstream: sample.url,
    listen: { host, port },
    // Where the gateway finds the certificate, and renews it.
    stateFolder: state,
    status: true,
    places: { store },
  }).catch(async (error: unknown) => {
    await sample.close()
    throw error
  })
  const demo: Demo = {
    url: publicUrl(gateway.url, host),
    address: host === 'localhost' ? '127.0.0.1' : host,
    sample: sample.url,
    policy: chosen.source,
    digest: chosen.digest,
    caFile: relative(terminal.directory, caFile),
    ...(keys ? { keys } : {}),
    ...(keys && worksOnKeys(chosen.resolved) ? { rotate: OWN_ROTATION } : {}),
    ...postureOf(chosen.resolved, publicUrl(gateway.url, host)),
  }
  for (const warning of policyWarnings(chosen.resolved, Date.now(), host)) terminal.err(`warning: ${warning}`)
  terminal.out(invocation.flag('json') ? JSON.stringify({ ...demo, try: curlLines(demo) }) : greeting(demo))
  return untilStopped(stopped, terminal, { graceMs: GRACE_MS }, async (options) => {
    const closed = await gateway.close(options)
    await sample.close()
    return closed
  })
}

// A policy that knows API keys gets two to try; one that knows none has no use for them.
async function keysFor(
  server: ServerPackage,
  policy: ResolvedPolicy,
  folder: string,
): Promise<SampleKeys | undefined> {
  const { settings } = policy.cells.at(-2)!
  const { vendor } = settings['keys'] as KeysSetting
  if (vendor === undefined) return undefined
  const { catalogue } = settings['access'] as AccessSetting
  const { defaultPlan = 'free' } = settings['limits'] as LimitsSetting
  try {
    return await server.sampleKeys({
      folder,
      vendor,
      plan: defaultPlan,
      scopes: Object.keys(catalogue?.scopes ?? {}),
    })
  } catch (error) {
    throw storeFailure(error, '--state')
  }
}

function worksOnKeys(policy: ResolvedPolicy): boolean {
  return fullSelfService(policy.cells.at(-2)!.settings['keys'] as KeysSetting) !== undefined
}

function postureOf(policy: ResolvedPolicy, url: string): { posture?: string } {
  const { posture, mode } = policy.cells.at(-2)!.settings['disclosure'] as DisclosureSetting
  return posture === 'public' && mode !== 'off' ? { posture: url + POSTURE_PATH } : {}
}

async function startSample(server: ServerPackage, port: number): Promise<Sample> {
  try {
    return await server.startSampleUpstream({ port })
  } catch (error) {
    throw listenFailure(error, { host: '127.0.0.1', port }, 'upstream-port') ?? error
  }
}

// On loopback the gateway has a name of its own, for which the local certificate is made.
function publicUrl(url: string, host: string): string {
  const { port } = new URL(url)
  const isLoopback = ['127.0.0.1', '::1', 'localhost'].includes(host)
  const name = isLoopback ? DEMO_HOST : host.includes(':') ? `[${host}]` : host
  return `https://${name}:${port || 443}`
}
