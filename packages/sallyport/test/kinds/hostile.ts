// What careless handlers and plugins do: weaker values for every header of the policy, in every form that Node takes.

import type { ServerResponse } from 'node:http'

/** Weaker than any policy, or telling. */
export const WEAKER: readonly (readonly [name: string, value: string])[] = [
  ['Strict-Transport-Security', 'max-age=0'],
  ['X-Content-Type-Options', 'sniff'],
  ['x-frame-options', 'ALLOWALL'],
  ['REFERRER-POLICY', 'unsafe-url'],
  ['X-DNS-Prefetch-Control', 'on'],
  ['Cross-Origin-Resource-Policy', 'same-site'],
  ['Cache-Control', 'public, max-age=31536000'],
  ['Content-Security-Policy', 'default-src *'],
  ['Permissions-Policy', 'camera=*'],
  ['X-Powered-By', 'Careless 1.0'],
  ['Server', 'Careless/1.0'],
]

type Head = (
  response: ServerResponse,
  status: number,
  headers: readonly (readonly [string, string])[],
) => void

/** The ways to write a head, each with the same lines. */
export const forms: Readonly<Record<string, Head>> = {
  setHeader(response, status, headers) {
    for (const [name, value] of headers) response.setHeader(name, value)
    response.statusCode = status
  },
  object: (response, status, headers) => void response.writeHead(status, Object.fromEntries(headers)),
  flat: (response, status, headers) => void response.writeHead(status, headers.flat(1)),
  nested: (response, status, headers) =>
    void response.writeHead(status, headers.map((pair) => [...pair]) as never),
  appended(response, status, headers) {
    for (const [name, value] of [...headers, ...headers]) response.appendHeader(name, value)
    response.statusCode = status
  },
  map(response, status, headers) {
    response.setHeaders(new Map(headers as [string, string][]))
    response.writeHead(status)
  },
  'set, then object'(response, status, headers) {
    for (const [name, value] of headers) response.setHeader(name, value)
    response.writeHead(status, Object.fromEntries(headers))
  },
  'duplicates in a flat list': (response, status, headers) =>
    void response.writeHead(status, [...headers, ...headers].flat(1)),
  removed(response, status, headers) {
    for (const [name, value] of headers) response.setHeader(name, value)
    for (const [name] of WEAKER) response.removeHeader(name)
    response.statusCode = status
  },
}
