// How `errors` is described, proved and compared.

import { catalogue, type ErrorCode } from '../../errors/catalogue.ts'
import { RETRY } from '../../errors/page.ts'
import { PROBLEM_BASE, PROBLEM_TYPE } from '../../errors/problem-document.ts'
import type { Resolved } from '../../guard/cell.ts'
import type { Change, Finding, Observation, Place, Probe, Section } from '../../guard/control.ts'
import { compareModes, headerValues, sameForAll } from '../faces.ts'
import type { ErrorsSetting } from './setting.ts'

type Cells = readonly Resolved<ErrorsSetting>[]

const WORDS = {
  none: 'bodies of the application are passed on',
  server: 'bodies of 5xx answers are replaced',
  unshaped: 'bodies of 5xx answers, and error bodies that are not JSON, are replaced',
} as const

const RANK = { none: 0, server: 1, unshaped: 2 } as const

export function describeErrors(cells: Cells, place: Place): Section {
  return {
    control: 'errors',
    id: 'SP-ERRORS-01',
    title: 'Errors',
    entries: [
      {
        name: 'Shape',
        value: `${PROBLEM_TYPE} with a stable code; each type is a page under ${PROBLEM_BASE}`,
        why: 'A program can decide on the code, a person can read the page, and nothing else leaves the server.',
        cells: [],
      },
      ...sameForAll(
        cells,
        'Application errors',
        (setting) => WORDS[setting.replaceBodies ?? 'none'],
        'Stack traces, database messages and file paths stay inside.',
      ),
      ...(Object.keys(catalogue) as ErrorCode[]).map((code) => ({
        name: code,
        value: `${catalogue[code].status} ${catalogue[code].title}`,
        why: `${catalogue[code].cause} ${catalogue[code].mend} Send again? ${RETRY[catalogue[code].retry]}`,
        cells: [],
      })),
    ],
    limits: limits(cells, place),
  }
}

function limits(cells: Cells, place: Place): readonly string[] {
  const found = ['Bodies of answers below 400 are never read or changed.']
  if (place === 'fetch')
    found.push('Refusals of the host itself, before it calls the handler, have the host’s own shape.')
  if (cells.some(({ setting }) => (setting.replaceBodies ?? 'none') !== 'none'))
    found.push('An error that is thrown after an answer has begun cuts the connection; its text is not sent.')
  if (cells.some(({ setting }) => setting.mode === 'off'))
    found.push('Where the control is off, error bodies of the application are passed on.')
  return found
}

export function probeErrors(cells: Cells): readonly Probe[] {
  const active = cells.filter(({ setting }) => (setting.mode ?? 'enforce') === 'enforce')
  if (active.length === 0) return []
  return [
    {
      id: 'errors/malformed',
      title: 'a request that cannot be read is answered with a problem document',
      cell: '!',
      request: { raw: 'GARBAGE\r\n\r\n' },
      expect: judgeProblem,
    },
    ...(active.some(({ cell }) => cell.origin === 'default') ? PAGE_PROBES : []),
  ]
}

const PAGE_PROBES: readonly Probe[] = [
  {
    id: 'errors/page',
    title: 'the type of a problem leads to its page',
    cell: '*',
    request: { method: 'GET', path: `${PROBLEM_BASE}malformed_request`, headers: [] },
    expect: (seen) =>
      seen.status === 200 && seen.body.includes('malformed_request')
        ? []
        : [
            {
              id: 'drift.error-shape',
              detail: `the page of a code answers ${seen.status}`,
              mend: `let GET ${PROBLEM_BASE}* reach the guard`,
            },
          ],
  },
  {
    id: 'errors/unknown-page',
    title: 'an unknown code is answered with a problem document',
    cell: '*',
    request: { method: 'GET', path: `${PROBLEM_BASE}no_such_code`, headers: [] },
    expect: judgeProblem,
  },
]

/** RFC 9457: the media type, and the members that every problem of the catalogue has. */
export function judgeProblem(seen: Observation): readonly Finding[] {
  const wrong = (detail: string): Finding[] => [
    { id: 'drift.error-shape', detail, mend: `Content-Type: ${PROBLEM_TYPE}` },
  ]
  const type = headerValues(seen, 'content-type')[0] ?? ''
  if (!type.toLowerCase().startsWith(PROBLEM_TYPE)) return wrong(`Content-Type is ${type || 'missing'}`)
  let document: unknown
  try {
    document = JSON.parse(seen.body)
  } catch {
    return wrong('the body is no JSON')
  }
  const { code, status } = (document ?? {}) as { code?: unknown; status?: unknown }
  if (typeof code !== 'string' || !Object.hasOwn(catalogue, code))
    return wrong('the code is none of the catalogue')
  return status === seen.status ? [] : wrong(`the document says status ${status}, the answer ${seen.status}`)
}

export function compareErrors(before: ErrorsSetting, after: ErrorsSetting): readonly Change[] {
  const [from, to] = [replaces(before), replaces(after)]
  const changes: Change[] = [...compareModes(before, after)]
  if (RANK[to] > RANK[from])
    changes.push({ strength: 'stronger', what: 'replaceBodies', because: `now ${WORDS[to]}` })
  if (RANK[to] < RANK[from])
    changes.push({
      strength: 'weaker',
      what: 'replaceBodies',
      because: `a stack trace or a database message of the application can reach a caller: ${WORDS[to]}`,
    })
  return changes
}

function replaces(setting: ErrorsSetting): keyof typeof RANK {
  return (setting.mode ?? 'enforce') === 'enforce' ? (setting.replaceBodies ?? 'none') : 'none'
}
