// A small world of origins, settings and pages, in which random choices meet often enough to prove something.

import fc from 'fast-check'
import type { CorsSetting } from '../../src/controls/cors/setting.ts'
import type { PageRequest } from './browser.ts'

const LISTABLE = [
  'https://app.example.com',
  'https://admin.example.com:8443',
  'https://shop.example.net',
  'https://eu.team.example.com',
  'http://localhost:3000',
  'https://*.example.com',
  'https://*.team.example.com',
  'https://*.example.net:8443',
  'http://*.localhost:3000',
] as const

/** Origins that pages may have: members of what can be listed, look-alikes, strangers. */
const ORIGINS = [
  'https://app.example.com',
  'https://admin.example.com:8443',
  'https://shop.example.net',
  'https://shop.example.net:8443',
  'https://eu.team.example.com',
  'https://evil.team.example.com',
  'https://evil.example.com',
  'https://evil2.example.com',
  'https://evil.example.net:8443',
  'http://localhost:3000',
  'http://evil.localhost:3000',
  'https://example.com',
  'https://app.example.com:8443',
  'http://app.example.com',
  'https://app.example.com.evil.example',
  'https://evilexample.com',
  'https://appxexample.com',
  'https://a_b.example.com',
  'https://evil.example',
  'null',
] as const

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'QUERY'] as const
const UNSAFE_HEADERS = [[], ['Authorization'], ['x-note'], ['content-type', 'X-Note']] as const

export const credentials = fc.constantFrom('bearer', 'cookie', 'mixed', 'none')

const methodNames = fc.subarray(['GET', 'PUT', 'PATCH', 'DELETE', 'QUERY'])
const headerNames = fc.subarray(['Authorization', 'content-type', 'x-note'])
const exposedNames = fc.subarray(['x-request-id', 'Retry-After'])
const star = <T>(names: fc.Arbitrary<T[]>) =>
  fc.oneof({ weight: 3, arbitrary: names }, { weight: 1, arbitrary: fc.constant(['*']) })

/** Settings that a policy may hold; "*" stands only where nobody is listed. */
export const settings: fc.Arbitrary<CorsSetting> = fc.oneof(
  fc.record({
    origins: fc.subarray([...LISTABLE]),
    bearer: fc.constantFrom('any-origin', 'listed'),
    allowMethods: methodNames,
    allowHeaders: headerNames,
    exposeHeaders: exposedNames,
    maxAgeSeconds: fc.constantFrom(0, 600, 86_400),
  }),
  fc.record({
    origins: fc.constant([] as string[]),
    bearer: fc.constantFrom('any-origin', 'any-origin', 'listed'),
    allowMethods: star(methodNames),
    allowHeaders: star(headerNames),
    exposeHeaders: star(exposedNames),
    maxAgeSeconds: fc.constantFrom(0, 600),
  }),
)

/** Pages that ask for something. */
export const asks: fc.Arbitrary<PageRequest> = fc.record({
  origin: fc.constantFrom(...ORIGINS),
  method: fc.constantFrom(...METHODS),
  unsafeHeaders: fc.constantFrom<readonly string[]>(...UNSAFE_HEADERS),
  credentials: fc.constantFrom('include', 'omit'),
})

/** Every page there is. */
export const ALL_ASKS: readonly PageRequest[] = ORIGINS.flatMap((origin) =>
  METHODS.flatMap((method) =>
    UNSAFE_HEADERS.flatMap((unsafeHeaders) =>
      (['include', 'omit'] as const).map((mode) => ({ origin, method, unsafeHeaders, credentials: mode })),
    ),
  ),
)
