// Routes as regular expressions, over the path as the client sent it, without its query.

import type { Segment } from '../policy/pattern.ts'
import type { PlanCell } from './plan.ts'

// RFC 3986, section 3.3, and the escapes that have only one reading; see `policy/canonical.ts`.
const CHARACTERS = [
  "[A-Za-z0-9._~!$&'()*+,=:@-]",
  '%(?:2[0-46-9A-C]|3[AC-F]|40|5[BDE]|60|7[B-D])',
  '%(?:C[2-9A-F]|D[0-9A-F])%[89AB][0-9A-F]',
  '%E0%[AB][0-9A-F]%[89AB][0-9A-F]',
  '%E[1-9A-CEF]%[89AB][0-9A-F]%[89AB][0-9A-F]',
  '%ED%[89][0-9A-F]%[89AB][0-9A-F]',
  '%F0%[9AB][0-9A-F]%[89AB][0-9A-F]%[89AB][0-9A-F]',
  '%F[1-3]%[89AB][0-9A-F]%[89AB][0-9A-F]%[89AB][0-9A-F]',
  '%F4%8[0-9A-F]%[89AB][0-9A-F]%[89AB][0-9A-F]',
]
const ESCAPED_PERCENT = '%25'
/** One character of a path, `%25` with anything after it: for RE2, which can't look ahead. */
export const CHARACTER = [...CHARACTERS, ESCAPED_PERCENT].join('|')
const SEGMENT = `(?![.]{1,2}(?:/|$))(?:${[...CHARACTERS, `${ESCAPED_PERCENT}(?![0-9A-Fa-f]{2})`].join('|')})+`

/** Matches the paths that have one reading only; needs look-ahead (PCRE). */
export const CANONICAL = `^/(?:${SEGMENT}(?:/${SEGMENT})*/?)?$`

/** Matches the paths of a cell, as they are written. */
export function pathRegex({ segments }: Pick<PlanCell, 'segments'>): string {
  return `^${segments.map(segmentRegex).join('')}$`
}

/** Matches what a program that ignores letter case and a trailing slash takes for the cell's; to be used without regard to case. */
export function looseRegex({ segments }: Pick<PlanCell, 'segments'>): string {
  const kept = segments.length > 1 && isEmpty(segments.at(-1)) ? segments.slice(0, -1) : segments
  const last = kept.at(-1)
  return `^${kept.map(segmentRegex).join('')}${last?.kind === 'wildcard' || isEmpty(last) ? '' : '/?'}$`
}

function isEmpty(segment: Segment | undefined): boolean {
  return segment?.kind === 'static' && segment.text === ''
}

function segmentRegex(segment: Segment): string {
  if (segment.kind === 'wildcard') return '(?:/.*)?'
  return segment.kind === 'param' ? '/[^/]+' : `/${literal(segment.text)}`
}

/** A text that matches itself, in PCRE, RE2 and POSIX alike. */
export function literal(text: string): string {
  return text.replace(/[.*+?^$(){}|[\]\\]/g, (character) =>
    '\\^[]'.includes(character) ? `\\${character}` : `[${character}]`,
  )
}

/** The methods of a cell as a regular expression without anchors: HEAD goes where GET goes. */
export function methodRegex(method: string | undefined): string {
  if (method === undefined) return '[^ ]+'
  return method === 'GET' ? '(?:GET|HEAD)' : method
}
