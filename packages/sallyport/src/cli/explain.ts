// `sallyport explain`: which control decides what about one request, and why.

import type { Place } from '../guard/control.ts'
import { isHeaderName, isHeaderValue } from '../guard/lines.ts'
import { loadPolicy } from '../policy/load.ts'
import { show } from '../policy/problem.ts'
import type { Ask, Pair } from '../posture/explain/ask.ts'
import { explain } from '../posture/explain/explain.ts'
import { explanationText } from '../posture/explain/text.ts'
// A policy that publishes its page needs the means to make it.
import '../posture/page/index.ts'
import type { Invocation, Terminal } from './command.ts'
import { callerOf } from './explain-caller.ts'
import { Failure } from './failure.ts'

const PLACES: readonly Place[] = ['gateway', 'node', 'fetch']

/** Runs the command. */
export async function explainCommand(invocation: Invocation, terminal: Terminal): Promise<number> {
  const ask = askOf(invocation, terminal)
  const { policy } = await loadPolicy(invocation.text('policy'), terminal.directory)
  const explanation = await explain(policy, ask)
  terminal.out(invocation.flag('json') ? JSON.stringify(explanation, null, 2) : explanationText(explanation))
  return 0
}

function askOf(invocation: Invocation, terminal: Terminal): Ask {
  const [method, target] = invocation.operands
  if (method === undefined || target === undefined)
    throw new Failure(
      'METHOD PATH: name a request, such as sallyport explain GET /v1/account --origin https://evil.example',
    )
  if (!/^[A-Za-z-]{1,32}$/.test(method))
    throw new Failure(`METHOD: expected a method such as GET, received ${show(method)}`)
  if (!/^[\x21-\x7e]{1,65536}$/.test(target))
    throw new Failure(
      `PATH: expected a path as it is sent, such as /v1/account, received ${show(target)}; escape other characters as %XX`,
    )
  if (!isTarget(target, method))
    throw new Failure(
      `PATH: expected a path that begins with "/", received ${show(target)}; write ${show(`/${target.replace(/^[./]+/, '')}`)}`,
    )
  const isPreflight = invocation.flag('preflight')
  const sent = method.toUpperCase()
  const caller = callerOf(invocation, Date.now())
  return {
    method: isPreflight ? 'OPTIONS' : sent,
    target,
    headers: headersOf(invocation, terminal, isPreflight ? sent : undefined),
    peer: invocation.text('peer')!,
    encrypted: !invocation.flag('plain'),
    place: placeOf(invocation),
    ...(caller ? { as: caller } : {}),
    answer: {
      status: statusOf(invocation),
      headers: invocation.given('answer')
        ? invocation.list('answer').map((line) => headerLine(invocation, 'answer', line))
        : [['Content-Type', 'application/json']],
    },
  }
}

/** RFC 9112, section 3.2: origin-form and absolute-form, the authority of CONNECT, and `*` of OPTIONS. */
function isTarget(target: string, method: string): boolean {
  if (/^(?:\/|https?:\/\/)/i.test(target)) return true
  return /^connect$/i.test(method) || (target === '*' && /^options$/i.test(method))
}

function headersOf(
  invocation: Invocation,
  { environment }: Terminal,
  announced: string | undefined,
): readonly Pair[] {
  const given = invocation.list('header').map((line) => headerLine(invocation, 'header', line))
  const origin = invocation.text('origin')
  if (origin !== undefined && !isHeaderValue(origin))
    throw new Failure(
      `${invocation.nameOf('origin')}: expected an origin such as https://app.example.com, received ${show(origin)}`,
    )
  if (announced !== undefined && origin === undefined)
    throw new Failure(
      '--preflight: only pages of other origins ask first; add --origin https://app.example.com',
    )
  const own: readonly Pair[] = [
    ['Host', 'api.example.com'],
    ...(origin === undefined ? [] : [['Origin', origin] as const]),
    ...(announced === undefined ? [] : [['Access-Control-Request-Method', announced] as const]),
    ...keyOf(invocation, environment),
  ]
  const said = new Set(given.map(([name]) => name.toLowerCase()))
  return [...own.filter(([name]) => !said.has(name.toLowerCase())), ...given]
}

// A key is a secret: `@NAME` keeps it out of the shell's history, and nothing here prints it.
function keyOf(invocation: Invocation, environment: Terminal['environment']): readonly Pair[] {
  const given = invocation.text('key')
  if (given === undefined) return []
  const key = given.startsWith('@') ? environment[given.slice(1)] : given
  if (key === undefined || key === '' || !isHeaderValue(key))
    throw new Failure(
      `${invocation.nameOf('key')}: expected a key, or @NAME for one in the environment; set ${given.startsWith('@') ? given.slice(1, 61) : 'it'} first`,
    )
  return [['Authorization', `Bearer ${key}`]]
}

function headerLine(invocation: Invocation, option: string, line: string): Pair {
  const colon = line.indexOf(':')
  const [name, value] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
  if (colon < 1 || !isHeaderName(name) || !isHeaderValue(value))
    throw new Failure(
      `${invocation.nameOf(option)}: expected a line such as "Accept: application/json", received one ${colon < 1 ? 'without ":"' : isHeaderName(name) ? `whose value for ${name} is none` : `whose name ${show(name)} is none`}; write --${option} "Name: value"`,
    )
  return [name, value]
}

function statusOf(invocation: Invocation): number {
  const text = invocation.text('status')!
  if (!/^[2-5]\d\d$/.test(text))
    throw new Failure(
      `${invocation.nameOf('status')}: expected a status from 200 to 599, received ${show(text)}`,
    )
  return Number(text)
}

function placeOf(invocation: Invocation): Place {
  const given = invocation.text('place')!
  const found = PLACES.find((place) => place === given)
  if (found === undefined)
    throw new Failure(`${invocation.nameOf('place')}: expected ${PLACES.join(', ')}, received ${show(given)}`)
  return found
}
