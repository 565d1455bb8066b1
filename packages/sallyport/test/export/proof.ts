// Proves an export: the probes of the policy's controls against the real program, for several policies. What fails must
// be what the export says that it can't keep.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { cache } from '../../src/controls/cache/index.ts'
import { cors } from '../../src/controls/cors/index.ts'
import { headers } from '../../src/controls/headers/index.ts'
import { transport } from '../../src/controls/transport/index.ts'
import { type Export, exportPolicy, type Platform } from '../../src/export/index.ts'
import type { Control } from '../../src/guard/control.ts'
import type { PolicyDocument } from '../../src/guard/policy.ts'
import { resolvePolicy } from '../../src/guard/resolve.ts'
import { bodyOf, parseAnswer, send, valuesOf } from '../kinds/wire.ts'
import { prove } from '../probes/prove.ts'
import { findProgram, freePort, hostileUpstream, type Program, startProgram } from './program.ts'

/** How a platform is started with an export. */
export interface Subject {
  readonly platform: Platform
  readonly program: string
  files(files: Export['files'], port: number, upstream: number): Record<string, string>
  words(folder: string): { readonly check?: readonly string[]; readonly run: readonly string[] }
  /** Findings of a probe that the export says it can't keep; each must show where the policy asks for it. */
  readonly stated: (probe: string, detail: string) => boolean
  /** True where it states any. */
  readonly states?: boolean
  /** Paths that the program refuses before it looks at any rule. */
  readonly ownRefusals?: readonly string[]
  /** False where a path's two readings are one before any rule is asked. */
  readonly seesOddPaths?: boolean
  /** True where errors are replaced by problem documents. */
  readonly replacesErrors?: boolean
}

const CONTROLS = [headers, cache, cors, transport] as readonly unknown[] as readonly Control<never>[]

const POLICIES: Readonly<Record<string, PolicyDocument>> = {
  api: { extends: 'api', cors: { origins: ['https://app.example.com', 'https://*.pages.example.org'] } },
  payments: { extends: 'payments' },
  recommended: { extends: 'recommended' },
  'several classes': {
    extends: 'recommended',
    cors: { origins: ['https://app.example.com'], exposeHeaders: ['x-request-id'] },
    routes: {
      '/assets/*': { data: 'asset', credentials: 'none' },
      'GET /news': { data: 'public', credentials: 'none', cache: { maxAgeSeconds: 60 } },
      '/users/:id': { data: 'private', headers: { frameOptions: 'SAMEORIGIN' } },
      '/users/me': { data: 'private', headers: { referrerPolicy: ['same-origin'] } },
      '/a.b$c/*': { data: 'stream' },
    },
  },
}

/** Declares the tests of one platform. */
export function writers(subject: Subject): void {
  const program = findProgram(subject.program)
  const skip = program === undefined && `${subject.program} is not installed`
  describe(`export to ${subject.platform}, in the real program`, { skip, timeout: 60_000 }, () => {
    for (const [name, document] of Object.entries(POLICIES))
      describe(name, () => {
        const policy = resolvePolicy(document)
        let running: Program
        let upstream: Awaited<ReturnType<typeof hostileUpstream>>

        before(async () => {
          upstream = await hostileUpstream()
          const { files } = await exportPolicy(policy, subject.platform)
          const port = await freePort()
          running = await startProgram(
            program!,
            port,
            subject.files(files, port, upstream.port),
            subject.words,
          )
        })
        after(async () => {
          await running?.close()
          upstream?.close()
        })

        const get = async (path: string, lines: readonly string[] = []) =>
          parseAnswer(
            await send(
              { port: running.port },
              `GET ${path} HTTP/1.1\r\nHost: a.example\r\n${lines.map((line) => `${line}\r\n`).join('')}Connection: close\r\n\r\n`,
            ),
          )

        it('every probe of headers, caching, origins and transport holds', async () => {
          let asked = false
          let shown = false
          for (const control of CONTROLS) {
            const found = Object.entries(await prove({ port: running.port }, control, policy)).flatMap(
              ([probe, findings]) => findings.map(({ id, detail }) => ({ probe, id, detail })),
            )
            const stated = found.filter(({ probe, detail }) => subject.stated(probe, detail))
            assert.deepEqual(
              found.filter((each) => !stated.includes(each)),
              [],
              control.name,
            )
            shown ||= stated.length > 0
            asked ||= Object.keys(policy.document.headers?.strip || {}).includes('server')
          }
          if (subject.states === true) assert.equal(shown, asked, 'a limit that is none must not be stated')
        })

        it('errors of the application and of the platform carry the same lines', async () => {
          for (const [path, status] of [
            ['/missing', 404],
            ['/fails', 500],
          ] as const) {
            const answer = await get(path)
            assert.equal(answer.status, status)
            assert.deepEqual(valuesOf(answer, 'X-Content-Type-Options'), ['nosniff'], path)
            const body = bodyOf(answer)
            assert.ok(
              body === '{}' || (subject.replacesErrors === true && JSON.parse(body).status === status),
              body,
            )
          }
        })

        if (subject.seesOddPaths === false) return
        it('a path with two readings is refused', async () => {
          for (const path of [
            '//a',
            '/a/../b',
            '/%2e%2e/b',
            '/a%2Fb',
            '/a\\b',
            '/a;b',
            '/%c3%a4',
            '/%41',
            '/%',
            '/a%00',
            '/%ff',
          ]) {
            const answer = await get(path)
            if (subject.ownRefusals?.includes(path)) assert.ok(answer.status >= 400, path)
            else assert.equal(answer.status, 400, path)
          }
          for (const path of [
            '/',
            '/a',
            '/a/',
            '/a-b_c.d~e',
            "/a!$&'()*+,=:@",
            '/%C3%A4',
            '/%E2%82%AC',
            '/%F0%9F%98%80',
            '/%20',
          ])
            assert.equal((await get(path)).status, 200, path)
        })
      })
  })
}
