// Drives a guard as the adapter for node:http does, without sockets: one request in, one head out.

import { emit } from '../../src/adapters/node/emit.ts'
import { replyFor } from '../../src/guard/answer.ts'
import type { Incoming } from '../../src/guard/exchange.ts'
import type { Guard } from '../../src/guard/guard.ts'
import { verdictNow } from '../../src/guard/services.ts'

type Pair = readonly [name: string, value: string]

/** A request; header names as they are sent. */
export interface Sent {
  readonly method?: string
  readonly path?: string
  readonly headers?: readonly Pair[]
}

/** An answer's head. */
export interface Got {
  readonly status: number
  readonly headers: readonly Pair[]
  /** True where the application was asked. */
  readonly reachedApplication: boolean
  readonly cookiesIgnored: boolean
}

/** Sends a request through the guard to an application that answers with the given head. */
export function drive(
  guard: Guard,
  sent: Sent,
  application: { readonly status: number; readonly headers: readonly Pair[] } = { status: 200, headers: [] },
): Got {
  const exchange = guard.open(incoming(sent))
  const verdict = verdictNow(guard.admit(exchange))
  if (verdict !== undefined) exchange.answeredByGuard = true
  const answer = verdict === undefined ? application : replyFor(verdict, exchange)
  const emission = emit(exchange, answer.status, answer.headers.flat(1), false)
  const own = emission.wire
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line): Pair => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)])
  const flat = emission.headers as readonly string[]
  const kept = flat.flatMap((name, index): Pair[] => (index % 2 === 0 ? [[name, flat[index + 1]!]] : []))
  return {
    status: answer.status,
    headers: [...own, ...kept],
    reachedApplication: verdict === undefined,
    cookiesIgnored: exchange.cookiesIgnored,
  }
}

/** Every value of a header. */
export function valuesOf(got: Pick<Got, 'headers'>, name: string): readonly string[] {
  return got.headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value)
}

/** The names of all lines of an answer that speak of CORS. */
export function corsLines(got: Pick<Got, 'headers'>): readonly string[] {
  return got.headers.filter(([key]) => key.toLowerCase().startsWith('access-control-')).map(([key]) => key)
}

function incoming({ method = 'GET', path = '/', headers = [] }: Sent): Incoming {
  const all: readonly Pair[] = [['Host', 'api.example.com'], ...headers]
  return {
    method,
    target: path,
    httpVersion: '1.1',
    rawHeaders: all.flat(1),
    header: (name) => all.find(([key]) => key.toLowerCase() === name)?.[1],
    peer: '127.0.0.1',
    encrypted: true,
  }
}
