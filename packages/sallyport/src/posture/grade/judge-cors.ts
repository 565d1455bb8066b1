// What pages of other origins may read: each variant of an origin that careless code takes for another.

import { headerValues } from '../../controls/faces.ts'
import type { WireAnswer } from '../wire/send.ts'
import type { Weighed } from './context.ts'

/** An origin to ask with, and what it means if it is allowed. */
export interface Variant {
  readonly name: string
  readonly origin: string
  readonly id: string
}

/** The variants for a host: a stranger, "null", and look-alikes of the host itself. */
export function variantsFor(host: string): readonly Variant[] {
  const named = host.includes('.') && !/^[\d.]+$/.test(host) && !host.includes(':')
  return [
    { name: 'any origin', origin: 'https://sallyport-probe.invalid', id: 'cors.reflect' },
    { name: 'the origin "null"', origin: 'null', id: 'cors.null-origin' },
    ...(named
      ? [
          {
            name: 'a host that begins as this one',
            origin: `https://${host}.evil.example`,
            id: 'cors.lax-match',
          },
          { name: 'a host that ends as this one', origin: `https://evil${host}`, id: 'cors.lax-match' },
          {
            name: 'a host with an underscore',
            origin: `https://${host}_.evil.example`,
            id: 'cors.lax-match',
          },
          { name: 'a host with a backtick', origin: `https://${host}\`.evil.example`, id: 'cors.lax-match' },
          {
            name: 'a host where any character stands for a dot',
            origin: `https://${host.replace(/\.(?=[^.]*$)/, 'x')}`,
            id: 'cors.lax-match',
          },
          { name: 'the host in clear', origin: `http://${host}`, id: 'cors.http-origin' },
        ]
      : []),
  ]
}

/** Judges the answer to a request with an origin. */
export function judgeVariant(answer: WireAnswer, { name, origin, id }: Variant): readonly Weighed[] {
  const values = headerValues(answer, 'access-control-allow-origin')
  const credentials = headerValues(answer, 'access-control-allow-credentials').join() === 'true'
  if (values.length > 1 || values.some((value) => value.includes(',')))
    return [{ id: 'cors.multiple-origins', detail: values.join(' | '), mend: 'send one value' }]
  const [value] = values
  if (value === '*')
    return credentials
      ? [
          {
            id: 'cors.wildcard-credentials',
            detail: '"*" with credentials',
            mend: 'list the origins that may',
          },
        ]
      : []
  if (value !== origin) return []
  const found: Weighed[] = []
  const detail = `${name} (${origin}) is allowed${credentials ? ' with credentials' : ''}`
  const mend = 'compare the whole origin with a list'
  if (id === 'cors.reflect') found.push({ id: credentials ? 'cors.reflect-credentials' : id, detail, mend })
  else if (id === 'cors.http-origin') {
    if (credentials && answer.encrypted) found.push({ id, detail, mend })
  } else found.push({ id, detail, mend, ...(credentials ? {} : { severity: 'medium' as const }) })
  if (!varies(answer))
    found.push({
      id: 'cors.vary-missing',
      detail: 'the origin is repeated, and Vary does not name it',
      mend: 'Vary: Origin',
    })
  return found
}

/** Judges the answer to a preflight. */
export function judgePreflight(answer: WireAnswer): readonly Weighed[] {
  const found: Weighed[] = []
  const age = Number(headerValues(answer, 'access-control-max-age')[0])
  if (age > 86_400)
    found.push({ id: 'cors.max-age', detail: String(age), mend: 'Access-Control-Max-Age: 600' })
  const credentials = headerValues(answer, 'access-control-allow-credentials').join() === 'true'
  const lists = ['access-control-allow-methods', 'access-control-allow-headers'].flatMap((name) =>
    headerValues(answer, name),
  )
  if (credentials && lists.includes('*'))
    found.push({ id: 'cors.literal-star', detail: '"*" in a list with credentials', mend: 'list the names' })
  return found
}

function varies(answer: WireAnswer): boolean {
  const names = headerValues(answer, 'vary')
    .flatMap((value) => value.split(','))
    .map((name) => name.trim().toLowerCase())
  return names.includes('origin') || names.includes('*')
}
