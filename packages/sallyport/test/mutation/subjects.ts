// The servers that are broken, each under its policy, behind a proxy that can break them: an Express app, the gateway with
// TLS, and plain node:http with a rule for each of many paths.

import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TlsOptions } from 'node:tls'
import { localCertificate, startGateway, startSampleUpstream } from '../../../server/src/index.ts'
import { createServer } from '../../src/adapters/node/index.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import type { VerifyOptions } from '../../src/posture/verify/verify.ts'
import type { WireTarget } from '../../src/posture/wire/target.ts'
import { listening } from '../kinds/listen.ts'
import { guardedApps } from '../kinds/servers.ts'
import { TIMEOUTS } from '../kinds/timeouts.ts'
import type { BrokenListener, Mutation } from './mutation.ts'
import { appPolicy, gatewayPolicy, RICH_PATHS, richPolicy } from './policies.ts'
import type { Behind } from './proxy.ts'

/** A server whose policy holds. */
export interface Subject {
  readonly policy: PolicyDocument
  readonly options: VerifyOptions
  readonly behind: Behind
  /** What its listener needs, where it speaks TLS; broken in this way. */
  tls?(broken?: BrokenListener): Promise<TlsOptions>
  /** The authority that the certificate of a broken listener is from, where clients trust it. */
  authorityOf?(broken: BrokenListener): Promise<string>
  /** The same application under another policy. */
  under?(policy: PolicyDocument): Promise<{ readonly port: number; close(): Promise<void> }>
  close(): Promise<void>
}

const APP_SAMPLES = [
  { class: '200', path: '/ok' },
  { class: '304', path: '/same' },
  { class: 'redirect', path: '/moved' },
  { class: 'error', path: '/throws' },
  { class: '401', path: '/unauthorized' },
  { class: '403', path: '/forbidden' },
  { class: 'sse', path: '/events' },
  { class: 'bad-json', path: '/echo' },
] as const

/** The app of the kinds of answers, by framework. */
export async function startApp(framework = 'express', policy: PolicyDocument = appPolicy): Promise<Subject> {
  const app = await guardedApps[framework]!(policy, PATIENT)
  return {
    policy,
    options: { place: 'node', allowWrites: true, samples: APP_SAMPLES },
    behind: { port: app.port, good: '/ok' },
    close: () => app.close(),
  }
}

// A busy machine must not be taken for a client that is slow on purpose.
const PATIENT = { ...TIMEOUTS, headersTimeout: 20_000 } as const

const DAY_MS = 86_400_000

/** The gateway with TLS, before an API that leaks and sets weaker headers. */
async function startTlsGateway(policy: PolicyDocument = gatewayPolicy): Promise<Subject> {
  const root = mkdtempSync(join(tmpdir(), 'sallyport-mutation-'))
  const certificate = (name: string, began = 0) =>
    localCertificate({ folder: join(root, name), clock: () => Date.now() - began * DAY_MS })
  const local = await certificate('local')
  const upstream = await startSampleUpstream({ port: 0 })
  const gateway = await startGateway({
    policy,
    upstream: upstream.url,
    listen: { host: '127.0.0.1', port: 0 },
    tls: local,
    status: true,
  })
  const OLD = { ciphers: 'DEFAULT:@SECLEVEL=0' } as const
  const own = { key: local.key, cert: local.cert }
  const listeners: Readonly<Record<BrokenListener, () => Promise<TlsOptions> | TlsOptions>> = {
    'tls-1.2-too': () => ({ ...own, minVersion: 'TLSv1.2' }),
    'tls-1.2-only': () => ({ ...own, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }),
    'tls-1.1-too': () => ({ ...own, ...OLD, minVersion: 'TLSv1' }),
    'certificate-expired': () => withAge(100),
    'certificate-ending': () => withAge(85),
    'certificate-of-another-host': () => ({ ...own, minVersion: 'TLSv1.3' }),
    'certificate-of-another-authority': () => withAge(0),
  }
  // Each age has a folder of its own, and so an authority of its own.
  async function withAge(days: number): Promise<TlsOptions> {
    const { key, cert } = await certificate(`age-${days}`, days)
    return { key, cert, minVersion: 'TLSv1.3' }
  }
  return {
    policy,
    options: {
      place: 'gateway',
      samples: [
        { class: '200', path: '/v1/account' },
        { class: 'error', path: '/v1/orders' },
        { class: 'redirect', path: '/old' },
        { class: 'download', path: '/download' },
      ],
    },
    behind: { port: gateway.address.port, ca: local.ca, good: '/v1/products' },
    tls: async (broken) =>
      broken === undefined ? { ...own, minVersion: 'TLSv1.3' } : await listeners[broken](),
    async authorityOf(broken) {
      const days = broken === 'certificate-expired' ? 100 : broken === 'certificate-ending' ? 85 : undefined
      return days === undefined ? local.ca : (await certificate(`age-${days}`, days)).ca
    },
    async close() {
      await gateway.close({ graceMs: 0 })
      await upstream.close()
      rmSync(root, { recursive: true, force: true })
    },
  }
}

const COOKIE = '__Host-session=c2Vzc2lvbg; Path=/; Secure; HttpOnly; SameSite=Strict'

// An application that keeps to its part of the policy.
function shop(request: IncomingMessage, response: ServerResponse): void {
  const path = (request.url ?? '').split('?', 1)[0]!
  const json = (status: number, body: string) => {
    response.setHeader('Content-Type', 'application/json')
    response.statusCode = status
    response.end(body)
  }
  request.resume()
  if (path === '/moved') {
    response.writeHead(302, { Location: '/v1/prices' }).end()
    return
  }
  if (path === '/same') {
    response.writeHead(304, { ETag: '"1"' }).end()
    return
  }
  if (path === '/forbidden') {
    json(403, '{}')
    return
  }
  if (path === '/throws') {
    json(500, '{"message":"duplicate key"}')
    return
  }
  const known = Object.values(RICH_PATHS).some((each) => each.path === path)
  if (!known) {
    json(404, '{"message":"not found"}')
    return
  }
  if (path === '/v1/feed') {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('data: 1\n\n')
    return
  }
  if (path === '/v1/account/profile') response.setHeader('Set-Cookie', COOKIE)
  if (path.startsWith('/v1/reports/')) response.setHeader('Cache-Control', 'private, max-age=60')
  if (path.startsWith('/docs/')) {
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    response.end('<!doctype html><title>Docs</title>')
    return
  }
  json(200, '{"ok":true}')
}

/** Plain node:http with many routes. */
async function startShop(policy: PolicyDocument = richPolicy): Promise<Subject> {
  const start = async (each: PolicyDocument) => await listening(createServer(each, shop))
  const app = await start(policy)
  return {
    policy,
    options: {
      place: 'node',
      allowWrites: true,
      samples: [
        ...Object.values(RICH_PATHS).map(({ path }) => ({
          class: path === '/v1/feed' ? ('sse' as const) : ('200' as const),
          path,
        })),
        { class: '304', path: '/same' },
        { class: 'redirect', path: '/moved' },
        { class: 'error', path: '/throws' },
        { class: '403', path: '/forbidden' },
      ],
    },
    behind: { port: app.port, good: '/v1/orders' },
    under: start,
    close: () => app.close(),
  }
}

/** The servers, by the name that a mutation gives. */
export const subjects: Readonly<Record<Mutation['subject'], () => Promise<Subject>>> = {
  app: () => startApp(),
  gateway: () => startTlsGateway(),
  rich: () => startShop(),
}

/** Where the proxy before a subject is reached. */
export function targetOf(subject: Subject, port: number, host = 'sallyport.localhost'): WireTarget {
  const { ca } = subject.behind
  return ca === undefined
    ? { scheme: 'http', host: '127.0.0.1', port }
    : { scheme: 'https', host, address: '127.0.0.1', port, ca }
}
