// The control `errors`: every refusal is a problem document, and an application's 5xx body never reaches a caller.

import type { ErrorCode } from '../../errors/catalogue.ts'
import { codeForStatus } from '../../errors/catalogue.ts'
import { PROBLEM_BASE } from '../../errors/problem-document.ts'
import type { Resolved } from '../../guard/cell.ts'
import { type Change, type Control, MODES, type Probe, type Section, type Seen } from '../../guard/control.ts'
import { type Infer, object, oneOf } from '../../policy/schema.ts'
import { sameForAll } from '../faces.ts'

const schema = object(
  {
    mode: oneOf(MODES, 'How the control acts.'),
    replaceBodies: oneOf(
      ['none', 'server', 'unshaped'],
      'Which error bodies of the application are replaced by a problem document: none; those of 5xx; those of 5xx and every other error body that is not JSON.',
    ),
  },
  'Errors as RFC 9457 problem documents.',
)

type ErrorsSetting = Infer<typeof schema>

const WORDS = {
  none: 'bodies of the application are passed on',
  server: 'bodies of 5xx answers are replaced',
  unshaped: 'bodies of 5xx answers, and error bodies that are not JSON, are replaced',
} as const

const RANK = { none: 0, server: 1, unshaped: 2 } as const

function replacesUnshaped(status: number, seen: Seen): ErrorCode | undefined {
  if (status < 400) return undefined
  if (status >= 500) return codeForStatus(status)
  const type = seen.get('content-type')?.toLowerCase() ?? ''
  return /^application\/(?:[\w.-]+\+)?json\b/.test(type) ? undefined : codeForStatus(status)
}

function describe(cells: readonly Resolved<ErrorsSetting>[]): Section {
  return {
    control: 'errors',
    id: 'SP-ERRORS-01',
    title: 'Errors',
    entries: [
      {
        name: 'Shape',
        value: `application/problem+json with a stable code; each type is a page under ${PROBLEM_BASE}`,
        why: 'A program can decide on the code, a person can read the page, and nothing else leaves the server.',
        cells: [],
      },
      ...sameForAll(
        cells,
        'Application errors',
        (setting) => WORDS[setting.replaceBodies ?? 'none'],
        'Stack traces, database messages and file paths stay inside.',
      ),
    ],
    limits: ['Bodies of answers below 400 are never read or changed.'],
  }
}

function probe(cells: readonly Resolved<ErrorsSetting>[]): readonly Probe[] {
  if (cells.every(({ setting }) => setting.mode === 'off')) return []
  return [
    {
      id: 'errors/malformed',
      title: 'a request that cannot be read is answered with a problem document',
      cell: '!',
      request: { raw: 'GARBAGE\r\n\r\n' },
      expect: (seen) => {
        const type = seen.headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
        return type.startsWith('application/problem+json')
          ? []
          : [
              {
                id: 'drift.error-shape',
                detail: `Content-Type is ${type || 'missing'}`,
                mend: 'Content-Type: application/problem+json',
              },
            ]
      },
    },
  ]
}

function compare(before: ErrorsSetting, after: ErrorsSetting): readonly Change[] {
  const difference = RANK[after.replaceBodies ?? 'none'] - RANK[before.replaceBodies ?? 'none']
  if (difference === 0) return []
  return [
    difference > 0
      ? {
          strength: 'stronger',
          what: 'replaceBodies',
          because: `now ${WORDS[after.replaceBodies ?? 'none']}`,
        }
      : {
          strength: 'weaker',
          what: 'replaceBodies',
          because: `an error body of the application can reach a caller: ${WORDS[after.replaceBodies ?? 'none']}`,
        },
  ]
}

export const errors = {
  name: 'errors',
  id: 'SP-ERRORS-01',
  title: 'Errors',
  since: '0.1.0',
  standards: {
    asvs: ['16.5.1', '16.5.3', '16.5.4', '13.4.2'],
    api: ['API8'],
    top10: ['A10'],
    nist: ['SI-11'],
    soc2: ['CC7.2'],
    pci: ['6.2.4'],
  },
  schema,
  defaults: { replaceBodies: 'server' },
  compile: (setting) => {
    if (setting.replaceBodies === 'none') return {}
    if (setting.replaceBodies === 'server')
      return { emit: { replaceBody: (status) => (status >= 500 ? codeForStatus(status) : undefined) } }
    return { emit: { watches: ['content-type'], replaceBody: replacesUnshaped } }
  },
  describe,
  probe,
  compare,
} as const satisfies Control<ErrorsSetting>
