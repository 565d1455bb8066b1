// What a browser lets pages read under random policies, against what the policies say. The browser's side is written
// from the Fetch standard; the policy's side below is written from the meaning of the setting. Neither knows the guard.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { corsFetch, type Network, type PageRequest } from '../../../test/cors/browser.ts'
import { corsLines, drive, valuesOf } from '../../../test/cors/drive.ts'
import { asks, credentials, settings } from '../../../test/cors/universe.ts'
import { runs } from '../../../test/runs.ts'
import { createGuard } from '../../guard/guard.ts'
import type { CorsSetting } from './setting.ts'

type Credentials = 'bearer' | 'cookie' | 'mixed' | 'none'

function isListed(setting: CorsSetting, origin: string): boolean {
  return (setting.origins ?? []).some((entry) => {
    if (!entry.includes('*')) return entry === origin
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) return false
    const base = new URL(entry.replace('*.', ''))
    const page = new URL(origin)
    return (
      page.protocol === base.protocol &&
      page.port === base.port &&
      page.hostname.endsWith(`.${base.hostname}`) &&
      !page.hostname.includes('_')
    )
  })
}

/** What the policy says that the page may do. */
function policyAllows(setting: CorsSetting, cell: Credentials, ask: PageRequest): boolean {
  const open = setting.bearer === 'any-origin' && cell !== 'cookie'
  const who = isListed(setting, ask.origin) || (open && ask.credentials === 'omit')
  const methods = setting.allowMethods ?? []
  const headers = (setting.allowHeaders ?? []).map((name) => name.toLowerCase())
  const method =
    ['GET', 'HEAD', 'POST'].includes(ask.method) ||
    methods.includes(ask.method) ||
    (methods.includes('*') && ask.credentials === 'omit')
  const names = ask.unsafeHeaders.every(
    (name) =>
      headers.includes(name.toLowerCase()) ||
      (headers.includes('*') && ask.credentials === 'omit' && name.toLowerCase() !== 'authorization'),
  )
  return who && method && names
}

const application = {
  status: 200,
  headers: [
    ['Content-Type', 'application/json'],
    ['X-Request-Id', 'r1'],
    ['X-Secret', 's'],
    ['Retry-After', '1'],
    // An application that would grant everything to everybody, if it could.
    ['Access-Control-Allow-Origin', '*'],
    ['Access-Control-Allow-Credentials', 'true'],
    ['Access-Control-Allow-Methods', '*, PUT, DELETE'],
    ['Access-Control-Allow-Headers', '*, authorization, x-note'],
    ['Access-Control-Expose-Headers', '*, x-secret'],
  ] as const,
}

test('D12 a browser lets a page read exactly what the policy grants its origin', () => {
  let allowed = 0
  let refused = 0
  fc.assert(
    fc.property(
      settings,
      credentials,
      fc.array(asks, { minLength: 1, maxLength: 8 }),
      (setting, cell, pages) => {
        const guard = createGuard({ cors: setting, credentials: cell }, 'node')
        const network: Network = (method, headers) => drive(guard, { method, headers }, application)
        for (const page of pages) {
          const outcome = corsFetch(page, network)
          const expected = policyAllows(setting, cell, page)
          if (!expected) {
            refused++
            assert.equal(outcome, 'network error', JSON.stringify({ setting, cell, page }))
            continue
          }
          allowed++
          assert.ok(outcome !== 'network error', JSON.stringify({ setting, cell, page }))
          const readable: ReadonlySet<string> = outcome.readable
          const exposed = (setting.exposeHeaders ?? []).map((name) => name.toLowerCase())
          for (const name of ['x-request-id', 'x-secret', 'retry-after'])
            assert.equal(
              readable.has(name),
              exposed.includes(name) || (exposed.includes('*') && page.credentials === 'omit'),
              `${name} ${JSON.stringify({ setting, cell, page })}`,
            )
          assert.ok(readable.has('content-type'))
        }
      },
    ),
    runs(1500),
  )
  // A generator that allows nothing, or everything, would prove nothing.
  assert.ok(allowed > 500 && refused > 500, `${allowed} allowed, ${refused} refused`)
})

test('no answer says more than its class: no credentials beside "*", nothing to refused origins, Vary where it matters', () => {
  fc.assert(
    fc.property(
      settings,
      credentials,
      asks,
      fc.constantFrom(200, 401, 403, 429, 500),
      (setting, cell, page, status) => {
        const guard = createGuard({ cors: setting, credentials: cell }, 'node')
        for (const method of ['OPTIONS', 'GET']) {
          const got = drive(
            guard,
            {
              method,
              headers: [
                ['Origin', page.origin],
                ['Access-Control-Request-Method', page.method],
              ],
            },
            { ...application, status },
          )
          const origins = valuesOf(got, 'access-control-allow-origin')
          const listed = isListed(setting, page.origin)
          const open = setting.bearer === 'any-origin' && cell !== 'cookie'
          assert.deepEqual(origins, listed ? [page.origin] : open ? ['*'] : [])
          assert.deepEqual(valuesOf(got, 'access-control-allow-credentials'), listed ? ['true'] : [])
          if (!listed && !open) assert.deepEqual(corsLines(got), [])
          assert.deepEqual(valuesOf(got, 'vary'), (setting.origins ?? []).length > 0 ? ['Origin'] : [])
          assert.equal(got.cookiesIgnored, !listed && open && method === 'GET')
        }
      },
    ),
    runs(1000),
  )
})
