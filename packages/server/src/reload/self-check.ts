// Tries a policy before it takes over: a few made-up requests go through every kind of cell, in and out. A control that
// would throw at the first real request then throws here.

import type { Guard } from 'sallyport'

type Incoming = Parameters<Guard['open']>[0]

/** So many cells are tried; those of equal settings share their compiled form. */
const MAX_CELLS = 200

/** What is wrong, in one sentence; `undefined` where the guard can be trusted to run. */
export function selfCheck(guard: Guard): string | undefined {
  const cells = guard.policy.cells.slice(0, MAX_CELLS)
  for (const cell of [...cells, ...guard.policy.cells.slice(-2)]) {
    const path = cell.path.startsWith('/') ? cell.path.replace(/\*$/, 'x').replace(/:\w+/g, 'x') : '/x'
    try {
      tryOne(guard, request(cell.method ?? 'GET', path, []))
      tryOne(guard, request('OPTIONS', path, preflight(cell.method ?? 'GET')))
      tryOne(guard, request('POST', `/.${path}`, []))
    } catch (error) {
      const kind = error instanceof Error ? error.name : typeof error
      return `the policy is sound but does not run: a control failed with ${kind} in the cell ${JSON.stringify(cell.id)}; report this, and keep the policy before`
    }
  }
  return undefined
}

const NOTHING = { get: () => undefined }

function tryOne(guard: Guard, incoming: Incoming): void {
  const exchange = guard.open(incoming)
  void guard.admit(exchange)
  const { compiled } = exchange.cell
  for (const status of [200, 404, 500]) {
    compiled.replaceBody?.(status, NOTHING)
    for (const line of compiled.perAnswer) line(exchange, status, NOTHING)
  }
}

function request(method: string, target: string, headers: readonly string[]): Incoming {
  const rawHeaders = ['Host', 'self-check.invalid', ...headers]
  return {
    method,
    target,
    httpVersion: '1.1',
    rawHeaders,
    header(name) {
      const at = rawHeaders.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name)
      return at < 0 ? undefined : rawHeaders[at + 1]
    },
    // Of the addresses for documentation (RFC 5737): nobody's.
    peer: '192.0.2.1',
    encrypted: true,
  }
}

function preflight(method: string): readonly string[] {
  return ['Origin', 'https://self-check.invalid', 'Access-Control-Request-Method', method]
}
